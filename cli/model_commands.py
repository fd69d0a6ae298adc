"""`./farm models ...`: the folder of weights."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption
from contract.errors import FarmError

if TYPE_CHECKING:
    from model_store import ModelState

models = typer.Typer(help="Fetch, list, verify and add model weights.", no_args_is_help=True)

_COLOURS = {"missing": "dim", "present": "green", "whole": "green", "corrupt": "red"}


class DamagedModelsError(FarmError):
    """Weights that are there are not what they should be."""


@models.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: FARM_MODEL.")] = None,
) -> None:
    """Bring weights from the first source that answers, and verify them."""
    import model_store
    from cli.models import byte_progress
    from cli.steps import Steps
    from runtime.settings import WorkerSettings

    settings = WorkerSettings.load()
    steps = Steps()
    for name in names or [settings.model]:
        with steps.step(f"model {name}") as step:
            path = model_store.fetch(name, settings.models_path, byte_progress(step.progress))
            step.text = f"{name}: {path}"


@models.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """Show the models that can be fetched and those that were added."""
    import model_store
    from runtime.settings import CommonSettings

    _show(model_store.list_models(CommonSettings.load().models_path), as_json=as_json)


@models.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Default: all that are there.")] = None, as_json: JsonOption = False
) -> None:
    """Compare weights with their hashes."""
    import model_store
    from runtime.settings import CommonSettings

    states = model_store.verify(CommonSettings.load().models_path, name)
    _show([state for state in states if name is not None or state.state != "missing"], as_json=as_json)
    bad = [state for state in states if state.state == "corrupt" or (name is not None and state.state == "missing")]
    if bad:
        raise DamagedModelsError("; ".join(state.detail for state in bad))


@models.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="FILE", help=".pt, .onnx, .engine, or an OpenVINO folder.")],
    name: Annotated[str | None, typer.Option(help="What FARM_MODEL calls it; default: the file's name.")] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load it although it is a pickle, which can run code.")
    ] = False,
) -> None:
    """Copy a model of your own into the folder of weights."""
    import model_store
    from model_store.manifest import PICKLED
    from runtime.settings import CommonSettings

    model = model_store.add(
        path, name or path.stem.removesuffix("_openvino_model"), CommonSettings.load().models_path, trust=trust
    )
    print(f"added {model.name} ({model.format}, sha256 {model.sha256}); use it with FARM_MODEL={model.name}")
    if model.format in PICKLED and not model.trusted:
        print("it is a pickle and will not be loaded: add it again with --trust if you trust where it comes from")


@models.command()
def quantise(
    name: Annotated[str, typer.Argument(help="A float model, ONNX or OpenVINO, of the list.")],
    images: Annotated[Path, typer.Option(metavar="FOLDER", help="Pictures or recordings of your cameras.")],
    out: Annotated[str | None, typer.Option(help="What FARM_MODEL calls the new model; default: NAME-int8.")] = None,
) -> None:
    """Make an INT8 model of one, calibrated with pictures of your cameras: quicker on most CPUs."""
    import tempfile

    import model_store
    from cli.steps import Steps
    from runtime.settings import WorkerSettings
    from workers.detection.quantising import quantise, read_pictures

    settings = WorkerSettings.load()
    model = model_store.resolve(name, settings.models_path)
    made = out or f"{name}-int8"
    steps = Steps()
    with steps.step(f"pictures in {images}") as step:
        pictures = read_pictures(images)
        step.text = f"{len(pictures)} pictures of {images}"
    with steps.step(f"calibrating {made}; takes some minutes") as step, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / f"{made}_openvino_model"
        quantise(model, pictures, side=settings.detect_size, target=folder)
        model_store.add(folder, made, settings.models_path)
        step.text = f"{made}: use it with FARM_MODEL={made}"


@models.command()
def engine(
    name: Annotated[str, typer.Argument(help="A .pt model of the list.")],
) -> None:
    """Build a TensorRT engine of a model for this machine's NVIDIA device; takes minutes."""
    import tempfile

    import model_store
    from cli.steps import Steps
    from runtime.settings import WorkerSettings
    from workers.detection.devices import choose_device, look_for_cuda
    from workers.detection.engines import build_engine, engine_name, gpu_name

    settings = WorkerSettings.load()
    device = choose_device(settings.device if settings.device.startswith("cuda") else "cuda", look_for_cuda())
    model = model_store.resolve(name, settings.models_path, trust_pickled=settings.trust_pickled_weights)
    made = engine_name(name, gpu_name(device))
    with Steps().step(f"building {made}") as step, tempfile.TemporaryDirectory() as scratch:
        built = build_engine(
            model, Path(scratch), device=device, side=settings.detect_size, max_batch=settings.max_batch
        )
        model_store.add(built, made, settings.models_path)
        step.text = f"{made}: use it with FARM_MODEL={made} on devices of this kind"


def _show(states: "list[ModelState]", *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_document(state) for state in states], indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    from cli.screen import screen

    table = Table("model", "for", "format", "state", "MB", "licence", "from", box=None)
    for state in states:
        shown = Text(state.state if state.trusted else f"{state.state}, not trusted", style=_COLOURS[state.state])
        size = f"{state.size_bytes / 1e6:.1f}"
        table.add_row(Text(state.name), state.kind or "", state.format, shown, size, state.licence, state.origin)
    screen().print(table)


def _document(state: "ModelState") -> dict[str, str | int | bool | None]:
    return {
        "name": state.name,
        "kind": state.kind,
        "format": state.format,
        "origin": state.origin,
        "state": state.state,
        "trusted": state.trusted,
        "size_bytes": state.size_bytes,
        "licence": state.licence,
        "path": str(state.path),
        "detail": state.detail,
    }
