"""Named reasons for what goes wrong, shared by workers, controller and clients."""

from enum import StrEnum


class StatusReason(StrEnum):
    """Why a camera is not `online`; each has a remedy in `REMEDIES`."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NAME_NOT_FOUND = "name_not_found"
    REFUSED = "refused"
    AUTH_FAILED = "auth_failed"
    NOT_FOUND = "not_found"
    NOT_VIDEO = "not_video"
    CODEC_UNSUPPORTED = "codec_unsupported"
    STREAM_ENDED = "stream_ended"
    STREAM_STALLED = "stream_stalled"
    DECODE_FAILED = "decode_failed"
    SERVER_ERROR = "server_error"
    TLS_FAILED = "tls_failed"
    PATH_FORBIDDEN = "path_forbidden"
    URL_INVALID = "url_invalid"
    SECRET_KEY_MISSING = "secret_key_missing"  # noqa: S105 - the name of a reason, not a secret
    DISK_FULL = "disk_full"
    DISK_READ_ONLY = "disk_read_only"
    DISK_FAILED = "disk_failed"
    NOT_RECORDABLE = "not_recordable"
    MASK_FAILED = "mask_failed"
    ADDRESS_REFUSED = "address_refused"
    NO_WORKER = "no_worker"
    NO_CAPACITY = "no_capacity"
    NO_LABELS = "no_labels"
    HOST_BUSY = "host_busy"
    NO_MANAGER = "no_manager"
    WORKER_SILENT = "worker_silent"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


REMEDIES: dict[StatusReason, str] = {
    StatusReason.TIMEOUT: "The camera did not answer in time. Check its power and that the worker can reach it.",
    StatusReason.UNREACHABLE: "No route to the camera. Check its address, the network and the firewall.",
    StatusReason.NAME_NOT_FOUND: "The host name does not resolve. Check the spelling, or use the IP address.",
    StatusReason.REFUSED: "The host answers but nothing listens on that port. Check the port (RTSP is usually 554).",
    StatusReason.AUTH_FAILED: "The camera refused the user name or password. Set the right ones on this camera.",
    StatusReason.NOT_FOUND: "The camera has no stream at that path. Look the path up in the camera's manual.",
    StatusReason.NOT_VIDEO: "The URL answers, but not with video. Check that it is the stream and not the web page.",
    StatusReason.CODEC_UNSUPPORTED: "The stream's codec cannot be decoded. Set the camera to H.264 or H.265.",
    StatusReason.STREAM_ENDED: "The stream ended. It is opened again after a pause.",
    StatusReason.STREAM_STALLED: "The camera is connected but sends no frames. It is opened again after a pause.",
    StatusReason.DECODE_FAILED: "The stream's data is damaged. Check the network for loss, or use RTSP over TCP.",
    StatusReason.SERVER_ERROR: "The camera answered with an error of its own. Restart it if that goes on.",
    StatusReason.TLS_FAILED: "The secure connection failed. Check the camera's certificate, or use http:// or rtsp://.",
    StatusReason.PATH_FORBIDDEN: "Local files are allowed only below FARM_LOCAL_VIDEO_DIR. Move the file there.",
    StatusReason.URL_INVALID: "The URL cannot be used. Use rtsp://, http:// or a file below FARM_LOCAL_VIDEO_DIR.",
    StatusReason.SECRET_KEY_MISSING: "It cannot decrypt the password. Give it the controller's FARM_SECRET_KEY.",
    StatusReason.DISK_FULL: "The frames volume is full. Free space or shorten FARM_FRAMES_MAX_AGE_HOURS.",
    StatusReason.DISK_READ_ONLY: "The frames volume cannot be written to. Check how it is mounted and who owns it.",
    StatusReason.DISK_FAILED: "The frames volume fails. Check the disk and its mount; it is tried again by itself.",
    StatusReason.NOT_RECORDABLE: "Only H.264 and H.265 are recorded. Set the camera's recorded stream to one of them.",
    StatusReason.MASK_FAILED: "Its masks cannot be blacked out of its footage: none is kept. See the worker's log.",
    StatusReason.ADDRESS_REFUSED: "Cameras may not be there. If this one is, set FARM_CAMERA_ADDRESSES_ALLOWED.",
    StatusReason.NO_WORKER: "No worker is running. Start one with: ./farm worker",
    StatusReason.NO_CAPACITY: "Every worker is full. Start another one with: ./farm worker",
    StatusReason.NO_LABELS: "No worker has the labels it requires. Set FARM_WORKER_LABELS of one or change the camera.",
    StatusReason.HOST_BUSY: "Many cameras of its host are being connected to; its turn comes within seconds.",
    StatusReason.NO_MANAGER: "No manager is running to give it to a worker. Start one with: ./farm controller",
    StatusReason.WORKER_SILENT: "Its worker stopped reporting. Another takes over in seconds, if there is one.",
    StatusReason.DISABLED: "The camera is switched off in CamFarm. Enable it to watch it.",
    StatusReason.UNKNOWN: "Unexpected failure; the worker's log has the details.",
}


class FarmError(Exception):
    """Base of CamFarm's own errors; its text names the thing and the remedy and may be shown to people."""


class NotYetError(FarmError):
    """Something that is not there now and may be later: whoever started the process should start it again."""


class InvalidUrlError(FarmError, ValueError):
    """A camera URL that cannot be used."""


class ContractError(FarmError, ValueError):
    """A message or key that does not follow the contract."""
