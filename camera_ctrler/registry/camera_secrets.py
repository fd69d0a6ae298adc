"""Secrets of cameras between people, who see `***`, and the database, which sees them encrypted."""

from typing import Any
from urllib.parse import urlsplit

from camera_ctrler.registry.registered_camera import RegisteredCamera
from camera_ctrler.registry.tables import CameraRow
from contract.camera_specs import CameraCreate
from contract.camera_urls import MASK, CameraSecrets, split_secrets
from contract.errors import InvalidUrlError
from runtime.secret_box import SecretBox


class CameraSecretBox:
    """Encrypts and decrypts the secrets of cameras."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def encrypted(self, secrets: CameraSecrets) -> str | None:
        """Return the text to be stored; None where there is nothing to hide."""
        return None if secrets.is_empty() else self._box.encrypt(secrets.model_dump_json(exclude_none=True))

    def decrypted(self, token: str | None) -> CameraSecrets:
        """Return what `encrypted` was given."""
        return CameraSecrets() if token is None else CameraSecrets.model_validate_json(self._box.decrypt(token))

    def split(self, spec: CameraCreate) -> tuple[str, CameraSecrets]:
        """Return the URL of a new camera without secrets, and the secrets.

        Raises:
            InvalidUrlError: It has `***` where a secret should stand.
        """
        if MASK in spec.url:
            raise InvalidUrlError(
                f"camera URL contains {MASK}, which stands for a hidden secret; write the secret itself"
            )
        url, secrets = split_secrets(spec.url)
        given: dict[str, str | None] = {"username": spec.username, "password": spec.password}
        return url, _with_credentials(secrets, {name: text for name, text in given.items() if text is not None})

    def changed(self, row: CameraRow, changes: dict[str, Any]) -> tuple[str, CameraSecrets]:
        """Return URL and secrets of a camera after `changes` to its URL, user name or password.

        Raises:
            InvalidUrlError: The URL has `***` for secrets that are not stored.
        """
        credentials: dict[str, str | None] = {
            name: changes[name] for name in ("username", "password") if name in changes
        }
        if "url" not in changes:
            return row.url, _with_credentials(self.decrypted(row.secrets), credentials)
        url, secrets = split_secrets(changes["url"])
        # A URL given in full must be accepted even if what is stored cannot be decrypted any more.
        if MASK in changes["url"]:
            secrets = _unmasked(url, secrets, row.url, self.decrypted(row.secrets))
        return url, _with_credentials(secrets, credentials)


def _unmasked(url: str, given: CameraSecrets, stored_url: str, stored: CameraSecrets) -> CameraSecrets:
    """Fill in stored secrets where the given URL has `***`, but only for the same host: else they would leak."""
    masked_parameters = {name for name, values in given.query.items() if MASK in values}
    if MASK not in {given.username, given.password} and not masked_parameters:
        return given
    if urlsplit(url).netloc != urlsplit(stored_url).netloc:
        raise InvalidUrlError(f"the URL names another host, so the hidden {MASK} is not kept; write the password again")
    if stored.is_empty() or masked_parameters - stored.query.keys():
        raise InvalidUrlError(f"the URL has {MASK} for a secret that is not stored; write the secret itself")
    # `***@` stands for user name and password together.
    password_is_masked = given.password == MASK or (given.username == MASK and given.password is None)
    return CameraSecrets(
        username=stored.username if given.username == MASK else given.username,
        password=stored.password if password_is_masked else given.password,
        query=given.query | {name: stored.query[name] for name in masked_parameters},
    )


def _with_credentials(secrets: CameraSecrets, given: dict[str, str | None]) -> CameraSecrets:
    """Return `secrets` with user name and password replaced by what was given."""
    changed = secrets.model_copy(update=given)
    if changed.password is not None and changed.username is None:
        changed.username = ""  # a URL has no place for a password alone
    return changed


def same_url(url: str, camera: RegisteredCamera, secrets: CameraSecrets) -> bool:
    """Tell whether `url`, secrets included, is what `camera` has stored already."""
    return split_secrets(url) == (camera.assignment(epoch=1).url, secrets)
