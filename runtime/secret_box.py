"""Encrypts camera credentials at rest and in Redis (Fernet: AES-128-CBC with HMAC-SHA256)."""

import base64
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.errors import FarmError
from runtime.settings import CommonSettings

KEY_FILE: Final = "secret.key"


class SecretKeyError(FarmError):
    """The key is missing, malformed, or not the one that a secret was encrypted with."""


class SecretBox:
    """Encrypts and decrypts short texts with one key that controller and workers share."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key.encode())
        except ValueError as error:
            raise SecretKeyError(
                "FARM_SECRET_KEY must be 32 bytes in urlsafe base64 (44 characters); make one with: "
                "openssl rand -base64 32 | tr '+/' '-_'"
            ) from error
        self._key = base64.urlsafe_b64decode(key)

    def derived_key(self, purpose: str) -> bytes:
        """Return 32 bytes for another purpose (HKDF-SHA256), from which neither this key nor another one follows."""
        return HKDF(SHA256(), 32, salt=None, info=f"camfarm {purpose}".encode()).derive(self._key)

    @classmethod
    def from_settings(cls, settings: CommonSettings) -> Self:
        """Take the key from FARM_SECRET_KEY, else from `secret.key` in FARM_DATA_DIR, which is made once."""
        key = settings.secret_key.get_secret_value()
        return cls(key or _read_or_make_key(settings.data_dir / KEY_FILE))

    def encrypt(self, text: str) -> str:
        """Return `text` as a token of printable characters."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a token from `encrypt`.

        Raises:
            SecretKeyError: The token was made with another key, or is damaged.
        """
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise SecretKeyError(
                "a stored password cannot be decrypted with this FARM_SECRET_KEY; "
                "restore the former key, or give the camera's whole URL again with its password"
            ) from error


def _read_or_make_key(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    # Not named after the process: in containers that share the folder every process has the same id.
    descriptor, candidate = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
        with suppress(FileExistsError):  # another process made the key first: then theirs is the key
            os.link(candidate, path)
    finally:
        Path(candidate).unlink()
    return path.read_text().strip()
