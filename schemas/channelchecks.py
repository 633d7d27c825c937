"""Whether a channel can be sent to, as far as that can be said without trying. Pure; no fault repeats a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from schemas.channels import Apprise, Channel, Email, Slack, SlackBot, Target, Webhook
from schemas.rules import InvalidField, InvalidFields
from schemas.webaddress import host_fault, web_address_fault

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?P<domain>[A-Za-z0-9.-]{1,253})\Z")
_ROOM = re.compile(r"[A-Za-z0-9#@._-]{1,80}\Z")

_SCHEMES = """
apprise apprises bark barks betterstack brevo chanify cliq dingtalk discord evolution evolutions feishu
firehydrant flock freemobile gchat goalert goalerts gotify gotifys groupme guilded hassio hassios ifttt ilert
incidentio infobip jira join kook lametric lametrics lark line mailersend mailgun mastodon mastodons matrix
matrixs misskey misskeys mmost mmosts msg91 msgbird nctalk nctalks ncloud nclouds nexmo notifiarr notifico
ntfy ntfys octopush onesignal opsgenie pagerduty pagertree pbul plivo postmark pover prowl psafer psafers push
pushdeer pushdeers pushed pushplus pushy resend revolt ringc rocket rockets ryver schan sendgrid sendpulse
seven signal signals signl4 simplepush sinch smseagle smseagles smtp2go sns sparkpost spike splunk spush
squadcast synology synologys telnyx tgram threema twilio twist victorops vonage webex wecombot whatsapp
workflows wxpusher wxteams xmatters zoom zulip
"""
APPRISE_SCHEMES = frozenset(_SCHEMES.split())
"""Of Apprise's schemes those that only ask servers over HTTP: none that runs a command, writes a log of this machine,
talks another protocol or reads keys from files."""
APPRISE_REFUSED_ARGUMENTS = frozenset({"template", "attach", "attach-as", "keyfile", "subfile"})
"""Of an address: they may name files."""
MAY_HAVE_TEMPLATES = frozenset({"sendgrid", "sendpulse", "onesignal", "whatsapp"})
"""Their templates are kept by the service."""


def check_channel(channel: Channel) -> None:
    """Raise InvalidFields unless `channel` can be sent to. Its secrets have to be there."""
    faults = list(_faults(channel.target))
    if channel.fallback and channel.fallback == channel.id:
        faults.append(InvalidField("fallback", channel.fallback, "must be another channel than this one"))
    if faults:
        raise InvalidFields(faults)


def _faults(target: Target) -> Iterator[InvalidField]:
    match target:
        case Slack() | Webhook():
            yield from _url_faults(target.url, "target.url")
        case SlackBot():
            yield from _bot_faults(target)
        case Email():
            yield from _email_faults(target)
        case Apprise():
            if fault := apprise_fault(target.url):
                yield InvalidField("target.url", None, fault)


def _url_faults(url: str, field: str) -> Iterator[InvalidField]:
    fault = web_address_fault(url) if url else "required; give the address to send to"
    if fault:
        yield InvalidField(field, None, fault)


def _bot_faults(target: SlackBot) -> Iterator[InvalidField]:
    if not _ROOM.match(target.room):
        remedy = "must be the id of a conversation, such as C0123456789"
        yield InvalidField("target.room", target.room, remedy)
    if not target.token:
        yield InvalidField("target.token", None, "required; give a bot token, which begins with xoxb-")
    elif not re.fullmatch(r"[\x21-\x7e]+", target.token):
        yield InvalidField("target.token", None, "must be a token as Slack gives it, without spaces")
    if "@" in target.api_url:  # it is shown to whoever sees the channel
        yield InvalidField("target.api_url", None, "must have no user and no password: the token says who asks")
    elif fault := web_address_fault(target.api_url) or _open_fault(target.api_url):
        yield InvalidField("target.api_url", target.api_url, fault)


def _open_fault(url: str) -> str:
    """Why a token may not go to `url`: everybody on the way could read it. To this machine it may."""
    parts = urlsplit(url)
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return "" if parts.scheme == "https" or here else "must start with https://: the token is sent there"


def _email_faults(target: Email) -> Iterator[InvalidField]:
    if fault := host_fault(target.server):
        yield InvalidField("target.server", target.server, fault)
    if not is_mail_address(target.sender):
        yield InvalidField("target.sender", target.sender, "must be an e-mail address, such as sonde@example.org")
    for index, address in enumerate(target.recipients):
        if not is_mail_address(address):
            remedy = "must be an e-mail address, such as ops@example.org"
            yield InvalidField(f"target.recipients[{index}]", address, remedy)
    if bool(target.user) != bool(target.password):
        missing = "password" if target.user else "user"
        yield InvalidField(f"target.{missing}", None, "required; user and password go together")
    if target.user and target.security == "none":
        remedy = 'must be "starttls" or "tls" where a user logs in: else everybody on the way reads the password'
        yield InvalidField("target.security", target.security, remedy)


def is_mail_address(text: str) -> bool:
    """Whether `text` is one plain e-mail address: no name, no comment, nothing that ends a header."""
    found = _ADDRESS.match(text)
    return found is not None and not host_fault(found["domain"])


def apprise_fault(url: str) -> str:
    """Why Apprise is not given `url`, with the remedy; empty when it is."""
    if not url:
        return "required; give an address of Apprise, such as ntfys://ntfy.sh/topic"
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or any(not character.isprintable() or character.isspace() for character in url):
        return "must be one address of Apprise without spaces, such as ntfys://ntfy.sh/topic"
    if scheme.lower() not in APPRISE_SCHEMES:
        return "must begin with a scheme that Sonde allows; docs/notifications.md lists them"
    try:
        arguments = {name.strip("+-:").lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    except ValueError:
        return "must be an address with a port from 1 to 65535, or none, and an IPv6 address in brackets"
    refused = APPRISE_REFUSED_ARGUMENTS - ({"template"} if scheme.lower() in MAY_HAVE_TEMPLATES else set())
    if found := sorted(arguments & refused):
        return f"must not have the argument {found[0]}, which may name files of the server"
    return ""
