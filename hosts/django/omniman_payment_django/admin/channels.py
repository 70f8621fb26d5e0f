"""Channels: the one thing here that is edited, and checked before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from omniman_payment_core.channels import ChannelConfigError, read_channel
from omniman_payment_core.records import ChannelView
from omniman_payment_django.checks import account_problem, secret_paths
from omniman_payment_django.models import Channel

if TYPE_CHECKING:
    Form = forms.ModelForm[Channel]
    Base = admin.ModelAdmin[Channel]
else:
    Form = forms.ModelForm
    Base = admin.ModelAdmin


class ChannelForm(Form):
    """Refuses what no order could be paid with, and secrets."""

    class Meta:
        model = Channel
        fields = ("code", "name", "config")

    def clean_config(self) -> Any:
        """The config as the core will read it."""
        config = self.cleaned_data["config"]
        channel = ChannelView(self.instance.code or self.cleaned_data.get("code", ""), config)
        try:
            read_channel(channel)
        except ChannelConfigError as error:
            raise ValidationError(list(error.problems)) from None
        problem = account_problem(channel)
        if problem:
            raise ValidationError(problem)
        found = list(secret_paths(config))
        if found:
            raise ValidationError(
                _("%(place)s looks like a secret; secrets belong into the settings"),
                params={"place": ", ".join(found)},
            )
        return config


@admin.register(Channel)
class ChannelAdmin(Base):
    """Editable, except that a channel's code is its name for ever."""

    form = ChannelForm
    list_display = ("code", "name", "payment_backend", "payment_flow")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: Any, obj: Channel | None = None) -> tuple[str, ...]:
        return ("code",) if obj is not None else ()

    @admin.display(description=_("account"))
    def payment_backend(self, channel: Channel) -> str:
        """What the config selects."""
        return _entry(channel, "payment_backend")

    @admin.display(description=_("flow"))
    def payment_flow(self, channel: Channel) -> str:
        """Hold and capture, or charge."""
        return _entry(channel, "payment_flow")


def _entry(channel: Channel, name: str) -> str:
    return str(channel.config.get(name, "")) if isinstance(channel.config, dict) else ""
