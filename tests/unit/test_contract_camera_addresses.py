"""Which addresses no camera may have, in whatever way they are written."""

import pytest

from contract.camera_addresses import CameraAddresses

DEFAULT = CameraAddresses()


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "2852039166",  # 169.254.169.254 as one number
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "0",
        "::",
        "224.0.0.1",
        "239.255.255.250",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_addresses_that_are_no_cameras_are_refused_however_they_are_written(address: str) -> None:
    """Given an address that answers with secrets, or is none of a host, then it is refused, and so is its URL."""
    assert DEFAULT.refusal(address)
    host = f"[{address}]" if ":" in address else address
    assert DEFAULT.refusal_of_url(f"http://user:pw@{host}:8080/latest/meta-data")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.10", "172.16.0.9", "8.8.8.8", "2001:db8::7", "fd12:3456::1", "cam.lan"],
)
def test_addresses_of_networks_and_of_this_machine_are_allowed(address: str) -> None:
    """Given an address of a private or public network, of loopback, or a name, then nothing is refused."""
    assert DEFAULT.refusal(address) == ""


def test_a_setting_allows_what_it_names_and_no_more() -> None:
    """Given a site whose cameras have link-local addresses, then those are allowed, mapped ones too, and no others."""
    allowed = CameraAddresses("169.254.10.0/24, fe80::/10")
    assert not allowed.refusal("169.254.10.7")
    assert not allowed.refusal("::ffff:169.254.10.7")
    assert not allowed.refusal("fe80::1%eth0")
    assert allowed.refusal("169.254.169.254")
    with pytest.raises(ValueError, match="'nonsense' is no network"):
        CameraAddresses("10.0.0.0/8,nonsense")
