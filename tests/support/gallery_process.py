"""A process with a gallery and nothing else: ``python -m tests.support.gallery_process``, settings as ``reid``'s.

Says its gallery's name on a line, and ends when it is asked to.
"""

import signal
import threading

from database.engine import open_engine
from reid.gallery.gallery_service import GalleryService
from runtime.settings import ReidSettings
from tests.support.galleries import thresholds
from tests.support.gallery_services import PatchEmbedder


def main() -> None:
    """Run until asked to stop."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    settings = ReidSettings.load()
    engine = open_engine(settings.database)
    service = GalleryService(settings, engine, PatchEmbedder(), PatchEmbedder, thresholds())
    service.start()
    print(service.name, flush=True)
    asked.wait()
    service.close()
    engine.dispose()


if __name__ == "__main__":
    main()
