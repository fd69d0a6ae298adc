"""What can be wrong with what a recogniser is given."""

from contract.errors import FarmError


class UnusableCropsError(FarmError, ValueError):
    """A request cannot be recognised, now or ever; the text says which crop and why."""

    def __init__(self, event_id: str, reason: str) -> None:
        super().__init__(f"the crops of event {event_id} cannot be used: {reason}")
        self.event_id = event_id
