"""The farm's database: engine, schema and migrations, for every service that keeps or reads rows."""
