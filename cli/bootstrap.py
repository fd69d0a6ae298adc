"""What `./farm` does before anything is installed: see that all is there, then hand over to `python -m cli`.

Only the standard library may be imported here, and quickly: every command passes through.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cli.venv_maker import BootstrapError, Group, Venv

PROJECT_DIR: Final = Path(__file__).resolve().parent.parent
VERBS: Final = {
    "demo": "start a whole farm with demo cameras on this machine",
    "up": "start a farm on this machine: Valkey, controller, workers",
    "down": "stop the farm that runs from this folder",
    "status": "show load, workers, cameras and what moved",
    "profile": "show where workers' time goes, what limits them and what to set",
    "worker": "start more workers",
    "workers": "list workers, ask one to hand over and leave",
    "reid": "start more ReID workers, which look at crops",
    "recognitions": "list what recognisers say, replay or delete dead letters",
    "identities": "list who was seen where, search, put right, watch for, erase",
    "controller": "start the manager and the API alone",
    "cameras": "add, list, remove and import cameras",
    "recordings": "list footage, compare the files with the index and repair it",
    "users": "add, list, change and remove who may log in",
    "tokens": "make, list and revoke tokens of programs",
    "audit": "show who did what: changes, exports, logins",
    "models": "fetch, list, verify, add and quantise model weights",
    "web": "build the web UI, check it, or work on it",
    "test": "run the tests; arguments go to pytest",
    "lint": "run every static check",
    "bench": "run the benchmarks, or the one that is named",
    "chaos": "break a farm of its own at random and check what it promises",
    "setup": "only install, and build the web UI: [--dev] [--torch] [--quantise]",
}
NEED_DEV: Final = frozenset({"test", "lint", "bench", "chaos"})
RUN_WORKERS: Final = frozenset({"demo", "up", "worker", "reid", "test", "bench", "chaos"})
#: Seconds for nvidia-smi, which is slow to answer when the driver is in trouble.
_SMI_TIMEOUT_SECONDS: Final = 5.0


def verb_of(arguments: Sequence[str]) -> str:
    """Return the command that `arguments` name, or an empty text where they name none."""
    expects_value = False
    for argument in arguments:
        if expects_value:
            expects_value = False
        elif argument == "--device":
            expects_value = True
        elif not argument.startswith("-"):
            return argument
    return ""


def option(arguments: Sequence[str], name: str) -> str:
    """Return the value of the option `name` (``--name value`` or ``--name=value``), or an empty text."""
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return ""


def setting(name: str, environment: Mapping[str, str]) -> str:
    """Return the value of a `FARM_*` setting from the environment, else from the `.env` file, else an empty text."""
    if name in environment:
        return environment[name]
    path = Path(environment.get("FARM_ENV_FILE", PROJECT_DIR / ".env"))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    for line in lines:
        key, _, value = line.removeprefix("export ").partition("=")
        if key.strip() == name:
            return value.split(" #")[0].strip().strip("'\"")
    return ""


def gpu_is_visible() -> bool:
    """Tell whether this machine has an NVIDIA GPU with a working driver."""
    if Path("/dev/nvidiactl").exists():
        return True
    smi = shutil.which("nvidia-smi")  # inside WSL there is a GPU without a device file
    if smi is None:
        return False
    try:
        answer = subprocess.run([smi, "-L"], capture_output=True, timeout=_SMI_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and b"GPU" in answer.stdout


def groups_for(arguments: Sequence[str], environment: Mapping[str, str]) -> list[Group]:
    """Return which groups of packages the command in `arguments` needs."""
    verb = verb_of(arguments)
    groups = [Group.BASE]
    if verb in NEED_DEV or (verb == "setup" and "--dev" in arguments):
        groups.append(Group.DEV)
    if needs_torch(verb, arguments, environment):
        groups.append(Group.TORCH)
    if (verb == "setup" and "--quantise" in arguments) or (verb == "models" and "quantise" in arguments):
        groups.append(Group.QUANTISE)
    return groups


def needs_torch(verb: str, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Tell whether the command runs workers that use torch."""
    if verb == "setup":
        return "--torch" in arguments
    if verb not in RUN_WORKERS:
        return False
    if setting("FARM_DETECTOR", environment) == "ultralytics":
        return True
    device = option(arguments, "--device") or setting("FARM_DEVICE", environment) or "auto"
    return device.startswith("cuda") or (device == "auto" and gpu_is_visible())


def brief_help() -> str:
    """Return what can be said without anything installed."""
    lines = [f"  {name:<12}{text}" for name, text in VERBS.items()]
    return "Usage: ./farm COMMAND ...\n\nCommands (the first one also installs CamFarm into .venv):\n" + "\n".join(
        lines
    )


def hand_over(python: Path, arguments: Sequence[str]) -> None:
    """Become `python -m cli`; this process does not come back from here."""
    paths = [str(PROJECT_DIR), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    os.execve(python, [str(python), "-m", "cli", *arguments], environment)  # noqa: S606 - a list, no shell


def main(arguments: list[str]) -> int:
    """Run `./farm` with `arguments`; return its exit code where there was nothing to hand over to."""
    verb = verb_of(arguments)
    venv = Venv(Path(os.environ.get("FARM_VENV") or PROJECT_DIR / ".venv"), PROJECT_DIR)
    if verb and verb not in VERBS:
        print(f"farm: there is no command {verb!r}; ./farm --help lists them", file=sys.stderr)
        return 2
    if not verb and not venv.is_ready([Group.BASE]):
        print(brief_help())
        return 0 if arguments else 2
    try:
        venv.make_ready(groups_for(arguments, os.environ))
    except BootstrapError as error:
        print(f"farm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nfarm: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if verb == "setup":
        print(f"CamFarm is installed in {venv.path}", flush=True)
        if not (PROJECT_DIR / "web").is_dir():
            return 0
        arguments = ["web", "build", "--if-needed"]
    hand_over(venv.python, arguments)
    raise AssertionError("execve came back")
