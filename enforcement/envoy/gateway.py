"""What a gateway is, apart from the policy: its models, its clients, its addresses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from enforcement import policy
from enforcement.decide import Attributes, bucket

Label = Annotated[str, Meta(max_length=200, pattern=r"^[^\s\x00-\x1f;=,\"\\|]*$")]
"""A name, or nothing."""


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The registration of an API key: whoever calls with the key is this.

    :param use_case: what every request is for, unless it declares another; may be empty.
    :param use_cases: what a request may declare by the header ``irapp-use-case``.
    """

    key: Annotated[str, Meta(min_length=8, max_length=500, pattern=r"^[\x21-\x7e]+$")]
    key_id: policy.Name
    user: policy.Name
    organisation: policy.Name
    application: policy.Name
    use_case: Label = ""
    use_cases: tuple[policy.Name, ...] = ()
    tier: Label = ""
    region: Label = ""
    platform: Label = ""

    @property
    def line(self) -> str:
        """The identity as one value, as Envoy's key filter hands it on."""
        return identity_line(
            self.user,
            self.organisation,
            self.key_id,
            self.application,
            self.use_case,
            region=self.region,
            tier=self.tier,
            platform=self.platform,
            use_cases=self.use_cases,
        )


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model behind the gateway. Guarded: not served before the first policy is known.

    :param streams: by which way streams come: the content filter ends exactly those of a halted scope;
        direct ones end all together, with the listener.
    """

    upstream: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.\-\[\]:]+:[0-9]{1,5}$")]
    guarded: bool = True
    output_field: str = ""
    streams: Literal["filter", "direct"] = "filter"

    @property
    def filtered(self) -> bool:
        """Streams go by the content filter."""
        return self.guarded and self.streams == "filter"


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that rendering needs to know beside the policy.

    :param busy: the ids of keys that ask so often that fewer of their requests need to be noted.
    """

    name: str
    host: str
    port: int
    admin_port: int
    filter_address: str
    folder: Path
    models: dict[str, Model]
    clients: tuple[Client, ...]
    probe_key: str
    secret: str
    ratelimit_address: str = ""
    busy: frozenset[str] = frozenset()


def identity_line(
    user: str,
    organisation: str,
    key: str,
    application: str,
    use_case: str,
    *,
    region: str = "",
    tier: str = "",
    platform: str = "",
    use_cases: Iterable[str] = (),
) -> str:
    """Join an identity; names hold neither ``;`` nor ``|``. The bucket for roll-outs is decided here."""
    names = [user, organisation, key, application, use_case, str(bucket(user)), region, tier, platform]
    return ";".join([*names, "|".join(use_cases)])


def line_of(attributes: Attributes) -> str:
    """Give the identity that a probe speaks for."""
    return identity_line(
        attributes.user,
        attributes.organisation,
        attributes.key,
        attributes.application,
        attributes.use_case,
        region=attributes.region,
        tier=attributes.tier,
        platform=attributes.platform,
    )


def load_models(path: Path) -> dict[str, Model]:
    """Read the file of models.

    :raises policy.PolicyError: naming the field.
    """
    return policy.parse(path.read_bytes(), dict[policy.Name, Model])


def load_clients(path: Path) -> tuple[Client, ...]:
    """Read the file of clients; no secret may stand for two identities.

    :raises policy.PolicyError: naming the field.
    """
    clients = policy.parse(path.read_bytes(), tuple[Client, ...])
    for field in ("key", "key_id"):
        values = [getattr(client, field) for client in clients]
        if len(set(values)) != len(values):
            raise policy.PolicyError(f"{field}: stands twice in the file of clients")
    return clients
