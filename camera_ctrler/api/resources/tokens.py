"""Tokens of programs: make, list, revoke."""

from camera_ctrler.api.access import principal
from camera_ctrler.api.account_schemas import NewToken, TokenCreate, TokenInfo, TokenList
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.services import services
from contract.accounts import Role

resource = Resource("tokens", "accounts")


@resource.documented(
    "GET", "/tokens", role=Role.ADMIN, whole_farm=True, summary="List tokens", answers={200: TokenList}
)
def list_tokens() -> TokenList:
    """Answer with all tokens."""
    return TokenList(items=[TokenInfo(**TokenInfo.fields_of(token)) for token in services().accounts.tokens.all()])


@resource.documented(
    "POST",
    "/tokens",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Make a token",
    description="For a program, which sends it as `Authorization: Bearer`. Its secret is in this answer, nowhere else.",
    body=TokenCreate,
    answers={201: NewToken},
    errors=(409,),
    examples={"For Prometheus": {"name": "prometheus", "role": "viewer"}},
)
def create_token(body: TokenCreate) -> tuple[NewToken, int, dict[str, str]]:
    """Make one token."""
    token, secret = services().accounts.tokens.add(
        body.name,
        body.role,
        None if body.cameras is None else frozenset(body.cameras),
        created_by=principal().name,
        expires_at_ms=body.expires_at_ms,
    )
    return NewToken(**TokenInfo.fields_of(token), secret=secret), 201, {}


@resource.documented(
    "DELETE",
    "/tokens/<token_id>",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Revoke a token",
    description="It takes effect at once.",
    answers={204: None},
    errors=(404,),
)
def revoke_token(token_id: str) -> None:
    """Revoke one token."""
    services().accounts.revoke_token(token_id)
