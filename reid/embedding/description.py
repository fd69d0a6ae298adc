"""What is to be known of a model before it is opened as an embedder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reid.embedding.pictures import PREPROCESSING

#: Height and width of models that leave them open and do not say what they were trained on: usual for people.
USUAL_SIZE: Final = (256, 128)


@dataclass(frozen=True, slots=True)
class EmbedderModel:
    """One model file, or the folder of an OpenVINO model."""

    name: str
    path: Path
    sha256: str
    #: Height and width in pixels; used where the model leaves them open.
    input_size: tuple[int, int] = USUAL_SIZE

    @property
    def version(self) -> str:
        """See `Embedder.version`: the same file makes the same embeddings, whatever it is called."""
        return f"{self.sha256[:40]}-{PREPROCESSING}"
