"""What a controller is set to, and which models are used."""

from collections import defaultdict
from typing import Final

import redis
from sqlalchemy.exc import SQLAlchemyError

import model_store
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.services import services
from camera_ctrler.api.settings_schemas import FarmSettings
from camera_ctrler.api.settings_view import model_entries, setting_entries
from contract.accounts import Role

resource = Resource("farm_settings", "operations")

_WHERE: Final = (
    "Settings are in the environment of each process, and in the file .env of the folder that it was started from "
    "(FARM_ENV_FILE names another one); what is changed there counts from the next start on. docs/settings.md explains "
    "each of them."
)


@resource.documented(
    "GET",
    "/settings",
    role=Role.ADMIN,
    whole_farm=True,
    summary="What this controller is set to",
    description="Settings as they are used, secrets left out, and which models are used by whom. They are changed in "
    "the environment, and not here: `where` says how.",
    answers={200: FarmSettings},
)
def show_settings() -> FarmSettings:
    """Answer with all settings and models."""
    parts = services()
    return FarmSettings(
        settings=setting_entries(parts.settings),
        models=model_entries(model_store.list_models(parts.settings.models_path), _used_models()),
        where=_WHERE,
    )


def _used_models() -> dict[str, list[str]]:
    """Return the models that live workers use, with the workers; nothing while Redis or the database is away."""
    used: dict[str, list[str]] = defaultdict(list)
    try:
        look = services().farm.look()
        embedders = {row.version: row.model for row, _ in services().identities.reading.galleries()}
    except (redis.RedisError, SQLAlchemyError):
        return used
    for worker in look.workers:
        if worker.alive and worker.status is not None:
            used[worker.status.model].append(worker.worker_id)
    for reid in look.recognitions[1] if look.recognitions is not None else []:
        for version in reid.status.recognisers.values() if reid.alive and reid.status is not None else ():
            if version in embedders:  # other recognisers have no weights
                used[embedders[version]].append(reid.worker_id)
    return used
