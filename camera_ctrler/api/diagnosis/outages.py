"""What is said while nothing can be asked. Pure."""

from camera_ctrler.api.health_schemas import Finding, Severity


def redis_away() -> Finding:
    """Return what is wrong while Redis does not answer."""
    return Finding(
        code="redis_away",
        severity=Severity.BROKEN,
        text="Redis does not answer, so nothing is known of cameras and workers.",
        remedy="Check that it runs and FARM_REDIS_URL. Cameras go on being analysed and saved, and what they saw comes "
        "when it is back.",
        setting="FARM_REDIS_URL",
    )


def database_away() -> Finding:
    """Return what is wrong while the database does not answer."""
    return Finding(
        code="database_away",
        severity=Severity.BROKEN,
        text="The database does not answer: cameras cannot be changed, and events and people not be looked up.",
        remedy="Check that it runs and FARM_DATABASE_URL. Cameras go on being analysed and saved.",
        setting="FARM_DATABASE_URL",
    )
