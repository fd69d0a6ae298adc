"""What can be wrong with a model that makes embeddings, and with what it answers."""

from contract.errors import FarmError


class EmbedderError(FarmError):
    """The embedder cannot be opened, or its runtime fails; the text says which model and what helps."""


class UnusableModelError(EmbedderError, ValueError):
    """The file is no model that makes one embedding of one picture."""


class DeviceMissingError(EmbedderError):
    """The device that was asked for cannot be used."""


class NoEmbeddingError(EmbedderError, ValueError):
    """The model's answer to one picture is no embedding: not finite, or without a length."""

    def __init__(self, model: str, index: int) -> None:
        super().__init__(
            f"{model} makes no usable embedding of picture {index} of the batch; if it does so for others too, "
            "the file is not the model that it should be: see `./farm models verify`"
        )
        self.index = index
