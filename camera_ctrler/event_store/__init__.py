"""Events in SQL: what happened at cameras, for as long as FARM_EVENTS_KEEP says."""
