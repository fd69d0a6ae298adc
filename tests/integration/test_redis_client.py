"""Ways to reach the server: password, TLS, Sentinel; and what is said when that fails."""

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.redis_client import RedisAwayError, RedisSettingsError, check_server, connect
from runtime.settings import CommonSettings
from tests.support.tcp_proxy import TcpProxy
from tests.support.valkey_server import ValkeyServer, free_port

#: A password with signs that mean something in URLs, shells and configuration files.
EVERY_SIGN = "p@ss w/ört:1"
WRONG = "wr0ng-0ne"


@pytest.fixture(scope="module")
def guarded() -> Iterator[ValkeyServer]:
    """A server on loopback with a password."""
    server = ValkeyServer(tcp=True, password=EVERY_SIGN)
    try:
        yield server.start()
    finally:
        server.close()


def settings(url: str, **others: Any) -> CommonSettings:
    """Make settings as a process would have them."""
    return CommonSettings(redis_url=url, **others)


def test_a_server_says_its_name_and_version(valkey_server: ValkeyServer) -> None:
    """Given a server on a unix socket, its own name and version are told, not those it is compatible with."""
    with valkey_server.client() as client:
        info = client.info("server")
    version = info.get("valkey_version")
    expected = f"valkey {version}" if version else f"redis {info['redis_version']}"
    assert check_server(connect(settings(valkey_server.url), name="t")) == expected


def test_the_password_may_stand_in_its_own_setting_or_in_the_url(guarded: ValkeyServer) -> None:
    """Given a password with every kind of sign, both ways of giving it work."""
    own = settings(guarded.url, redis_password=EVERY_SIGN)
    inside = settings(f"redis://:p%40ss%20w%2F%C3%B6rt%3A1@127.0.0.1:{guarded.port}/0", redis_password=WRONG)
    for each in (own, inside):
        assert check_server(connect(each, name="t")).startswith(("valkey ", "redis "))


@pytest.mark.parametrize("password", ["", WRONG])
def test_a_wrong_or_missing_password_is_named_and_not_shown(guarded: ValkeyServer, password: str) -> None:
    """Given a wrong or no password, the error names the setting and does not repeat the password."""
    client = connect(settings(guarded.url, redis_password=password), name="t")
    with pytest.raises(RedisSettingsError, match="FARM_REDIS_PASSWORD") as caught:
        check_server(client)
    assert WRONG not in str(caught.value)


def test_secrets_of_the_settings_do_not_show() -> None:
    """Given settings with passwords in both places, printing them shows neither."""
    shown = repr(settings("redis://:s3cr3t@h:1/0", redis_password=WRONG, secret_key=WRONG))
    assert "s3cr3t" not in shown
    assert WRONG not in shown


@pytest.mark.parametrize("url", ["redis://:s3cr3t/x@host:6379", "redis://[::1", "redis://h:99999", "unix://"])
def test_a_url_that_cannot_be_read_is_named_without_showing_it(url: str) -> None:
    """Given a URL that is malformed, the error names the setting and shows no password."""
    with pytest.raises(RedisSettingsError, match="FARM_REDIS_URL") as caught:
        check_server(connect(settings(url), name="t"))
    assert "s3cr3t" not in str(caught.value)


def test_no_server_configured_and_no_server_there_say_what_to_do() -> None:
    """Given no URL, or one where nothing listens, the errors differ and name the remedy."""
    with pytest.raises(RedisSettingsError, match=r"\./farm up"):
        connect(settings(""), name="t")
    with pytest.raises(RedisSettingsError, match="check FARM_REDIS_URL"):
        check_server(connect(settings(f"redis://127.0.0.1:{free_port()}/0"), name="t"))


def test_a_server_that_is_too_old_is_refused_with_what_is_needed(guarded: ValkeyServer) -> None:
    """Given a server that states version 6.2, the error names it and the oldest that will do."""

    def older(answer: bytes) -> bytes:
        return answer.replace(b"redis_version:7.", b"redis_version:6.")

    with TcpProxy(guarded.port, change_answer=older) as proxy:
        client = connect(settings(f"redis://127.0.0.1:{proxy.port}/0", redis_password=EVERY_SIGN), name="t")
        with pytest.raises(RedisSettingsError, match=r"6\.\d+\.\d+ is too old; CamFarm needs Redis 7\.0"):
            check_server(client)


def test_an_operator_sees_who_is_connected(guarded: ValkeyServer) -> None:
    """Given a named client, the server lists it under that name."""
    client = connect(settings(guarded.url, redis_password=EVERY_SIGN), name="camfarm-worker-w1")
    assert "camfarm-worker-w1" in {entry["name"] for entry in client.client_list()}


def test_a_connection_that_the_server_closed_is_opened_again_unseen(guarded: ValkeyServer) -> None:
    """Given an idle connection that was cut, the next command works."""
    with TcpProxy(guarded.port) as proxy:
        client = connect(settings(f"redis://127.0.0.1:{proxy.port}/0", redis_password=EVERY_SIGN), name="t")
        client.ping()
        proxy.cut()
        assert client.ping()


def test_a_frozen_server_costs_no_more_than_the_time_limit(own_valkey: ValkeyServer) -> None:
    """Given a server that answers nothing, a command ends with an error that callers are ready for."""
    client = connect(settings(own_valkey.url), name="t", timeout_seconds=0.2)
    client.ping()
    own_valkey.freeze()
    before = time.monotonic()
    with pytest.raises(RedisAwayError):
        client.ping()
    assert time.monotonic() - before < 2.0
    own_valkey.thaw()
    assert client.ping()


# --- TLS ----------------------------------------------------------------------------------------------------------


def certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make an authority and a certificate of 127.0.0.1; return the authority's file and the server's side of TLS."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("test authority", "127.0.0.1")]
    now = datetime.now(UTC)
    made = []
    for subject, key, is_authority in zip(names, keys, (True, False), strict=True):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )
        if is_authority:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()))
    pem = serialization.Encoding.PEM
    authority, chain = folder / "ca.pem", folder / "server.pem"
    authority.write_bytes(made[0].public_bytes(pem))
    private = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(made[1].public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return authority, context


def test_tls_works_with_the_authority_and_only_with_it(guarded: ValkeyServer, tmp_path: Path) -> None:
    """Given a server behind TLS with its own authority, it is reached with that authority and refused without."""
    authority, context = certificates(tmp_path)
    with TcpProxy(guarded.port, tls=context) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0"
        trusted = connect(settings(url, redis_password=EVERY_SIGN, redis_ca_file=authority), name="t")
        assert check_server(trusted).startswith(("valkey ", "redis "))
        with pytest.raises(RedisSettingsError, match="certificate"):
            check_server(connect(settings(url, redis_password=EVERY_SIGN), name="t"))


# --- Sentinel -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sentinel_leads_to_the_new_master_after_a_failover() -> None:
    """Given a master, a replica and a sentinel, when the master dies, then the same client writes to the new one."""
    master = ValkeyServer(tcp=True, password=EVERY_SIGN)
    replica = ValkeyServer(
        "--replicaof", f"127.0.0.1 {master.port}", "--masterauth", EVERY_SIGN, tcp=True, password=EVERY_SIGN
    )
    sentinel = ValkeyServer(
        sentinel=(
            f"sentinel monitor cams 127.0.0.1 {master.port} 1\n"
            f'sentinel auth-pass cams "{EVERY_SIGN}"\n'
            "sentinel down-after-milliseconds cams 300\nsentinel failover-timeout cams 3000\n"
        )
    )
    servers = (master, replica, sentinel)
    try:
        for server in servers:
            server.start()
        client = connect(
            settings(
                "redis://:p%40ss%20w%2F%C3%B6rt%3A1@sentinel/0",
                redis_sentinels=f"127.0.0.1:{sentinel.port}",
                redis_sentinel_master="cams",
            ),
            name="t",
            timeout_seconds=1,
        )
        assert check_server(client).startswith(("valkey ", "redis "))
        client.set("before", "x")
        # The sentinel asks the master for its replicas every ten seconds.
        _until(lambda: sentinel.client().sentinel_slaves("cams"), "the sentinel knows the replica")
        _until(lambda: replica.client().get("before"), "the replica has the data")
        master.kill()
        _until(lambda: client.set("after", "y"), "the client writes again")
        assert replica.client().role()[0] == b"master"
        assert client.get("before") == b"x"
    finally:
        for server in servers:
            server.close()


def _until(fact: Any, what: str) -> None:
    deadline = time.monotonic() + 30
    pause = threading.Event()
    while time.monotonic() < deadline:
        try:
            if fact():
                return
        except redis.RedisError:
            pass
        pause.wait(0.1)
    raise AssertionError(f"not within 30 s: {what}")


@pytest.mark.parametrize("sentinels", ["host", "host:", ":x", "a:1,b"])
def test_sentinel_addresses_that_cannot_be_read_are_named(sentinels: str) -> None:
    """Given an address without a port, the error shows the right form."""
    with pytest.raises(RedisSettingsError, match="write host:port"):
        connect(settings("redis://x/0", redis_sentinels=sentinels), name="t")
