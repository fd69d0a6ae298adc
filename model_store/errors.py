"""What can go wrong with weights; every text names the file and the remedy."""

from contract.errors import FarmError


class ModelStoreError(FarmError):
    """Base of the errors of this package."""


class UnknownModelError(ModelStoreError, LookupError):
    """No model of that name is in the manifest or was added."""


class ModelMissingError(ModelStoreError, FileNotFoundError):
    """The model is known, but its file is not there."""


class CorruptModelError(ModelStoreError, ValueError):
    """The file is there, but it is not the one whose hash is recorded."""


class UntrustedWeightsError(ModelStoreError, PermissionError):
    """Pickled weights, which can run code when they are loaded, that nobody has vouched for."""


class UnreadableModelError(ModelStoreError, ValueError):
    """A file that was to be added is not a model of a known format."""


class ModelNameError(ModelStoreError, ValueError):
    """A name that cannot be given to a model, or is taken."""


class FetchError(ModelStoreError, OSError):
    """No source brought the file; the text lists what each of them answered."""


class SourceError(ModelStoreError, OSError):
    """One source did not bring the file; the next one is tried."""


class ArchiveError(SourceError, ValueError):
    """An archive is damaged, or does not hold the one file that it should."""
