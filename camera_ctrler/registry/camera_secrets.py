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
        url, secrets = _split(spec.url)
        given: dict[str, str | None] = {"username": spec.username, "password": spec.password}
        return url, _with_credentials(secrets, {name: text for name, text in given.items() if text is not None})

    def split_main(self, main_url: str | None) -> tuple[str | None, str | None]:
        """Return the URL of a new camera's main stream without secrets, and the text to be stored for these.

        Raises:
            InvalidUrlError: It has `***` where a secret should stand.
        """
        if main_url is None:
            return None, None
        url, secrets = _split(main_url)
        return url, self.encrypted(secrets)

    def changed_main(self, row: CameraRow, main_url: str | None) -> tuple[str | None, str | None]:
        """Return what `split_main` does for a camera whose main stream is to be another one.

        Raises:
            InvalidUrlError: The URL has `***` for secrets that are not stored.
        """
        if main_url is None or MASK not in main_url:
            return self.split_main(main_url)
        url, given = split_secrets(main_url)
        secrets = _unmasked(url, given, row.main_url or "", self.decrypted(row.main_secrets))
        return url, self.encrypted(secrets)

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


def _split(url: str) -> tuple[str, CameraSecrets]:
    if MASK in url:
        raise InvalidUrlError(f"camera URL contains {MASK}, which stands for a hidden secret; write the secret itself")
    return split_secrets(url)


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
