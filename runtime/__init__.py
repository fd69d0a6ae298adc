"""How a process of CamFarm lives: settings, clock, shutdown, leases, Redis, logs, metrics. Knows no video."""
