"""What is wrong with recognition. Pure."""

from typing import Final

from camera_ctrler.api.diagnosis.history import Past
from camera_ctrler.api.diagnosis.wording import are, counted
from camera_ctrler.api.farm_schemas import FarmTotals, RecognitionTotals
from camera_ctrler.api.health_schemas import Finding, Severity

#: Requests that wait, from which on recognisers that do not catch up are behind: some seconds of a busy farm's work.
MANY: Final = 200


def recognition_findings(totals: FarmTotals, past: Past | None) -> list[Finding]:
    """Return what is wrong with recognition."""
    recognitions = totals.recognitions
    if recognitions is None:
        return []
    found = [
        Finding(
            code="recognisers_wait",
            severity=Severity.WARNING,
            text=f"ReID workers wait: {problem}.",
            remedy="Mend that; they go on by themselves, and nothing is lost meanwhile.",
            detail=problem,
        )
        for problem in recognitions.problems
    ]
    return [*found, *_backlog(recognitions, past), *_letters(recognitions)]


def _backlog(recognitions: RecognitionTotals, past: Past | None) -> list[Finding]:
    waiting = recognitions.waiting + recognitions.queued
    if not recognitions.workers and waiting:
        return [
            Finding(
                code="no_reid_worker",
                severity=Severity.WARNING,
                text=f"{counted(waiting, 'sighting')} {are(waiting)} to be recognised, and no ReID worker runs.",
                remedy="Start one with: ./farm reid",
                setting="./farm reid",
                count=waiting,
            )
        ]
    grows = past is not None and recognitions.waiting > past.recent.recognitions_waiting
    if not recognitions.waiting > MANY or not grows:
        return []
    return [
        Finding(
            code="recognisers_behind",
            severity=Severity.WARNING,
            text=f"Recognition is behind: {counted(recognitions.waiting, 'sighting')} wait, and they become more.",
            remedy="Start more ReID workers with: ./farm reid",
            setting="./farm reid",
            count=recognitions.waiting,
        )
    ]


def _letters(recognitions: RecognitionTotals) -> list[Finding]:
    if not recognitions.dead:
        return []
    return [
        Finding(
            code="dead_letters",
            severity=Severity.WARNING,
            text=f"{counted(recognitions.dead, 'sighting')} could not be recognised and {_were(recognitions.dead)} "
            "given up.",
            remedy="Look at the reasons of the dead letters, mend the cause, and replay them.",
            count=recognitions.dead,
        )
    ]


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
