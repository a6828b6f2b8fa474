"""The connection to Plex: one row, for superusers, whose token can be written but not read."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from medianest.addresses import refusal
from plex_integration.admin import addresses, servers, sign_in
from plex_integration.admin.connection_test import report_test
from plex_integration.admin.missing import NO_SERVER, NO_TOKEN, UNREADABLE, what_is_missing
from plex_integration.admin.single_row import SingleRowAdmin
from plex_integration.configuration import runtime
from plex_integration.configuration.models import PlexConnection

_NAME = "plex_integration_plexconnection"


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """Edit the connection; an empty token leaves the stored one unchanged."""

    token = forms.CharField(
        required=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "size": 40}),
    )

    class Meta:
        model = PlexConnection
        fields = ["url", "token", "tls", "authority", "seconds", "show_file_paths"]
        widgets = {
            "url": forms.TextInput(
                attrs={
                    "size": 40,
                    "inputmode": "url",
                    "autocomplete": "off",
                    "placeholder": "http://192.168.1.10:32400",
                }
            ),
            "authority": forms.Textarea(attrs={"rows": 6, "cols": 66, "spellcheck": "false"}),
        }
        help_texts = {
            "url": "http or https, as this service reaches Plex. If you change the address, enter "
            "the token again: the stored token is never sent to a new address.",
            "authority": "The certificate of the CA that signed Plex's certificate, in PEM format.",
            "seconds": "The time limit for all Plex requests of one response together, 0.1 to 120.",
            "show_file_paths": "If off, the paths of media files and folders are null in "
            "responses.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].help_text = _token_help(self.instance)

    def clean_url(self) -> str:
        address: str = self.cleaned_data["url"].strip()
        if refused := refusal(address):
            raise ValidationError(refused)
        return _normalized(address)

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValidationError("A token has only printable ASCII characters and no spaces.")
        return token

    def clean_authority(self) -> str:
        certificates: str = self.cleaned_data["authority"].strip()
        if certificates:
            try:
                x509.load_pem_x509_certificates(certificates.encode())
            except ValueError:
                raise ValidationError("This is not a certificate in PEM format.") from None
        return certificates

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_new = "url" in cleaned and cleaned["url"] != _normalized(self.instance.url)
        if is_new and self.instance.encrypted_token and cleaned.get("token") == "":
            self.add_error("token", "Enter the token again for the new address.")
        is_custom = cleaned.get("tls") == PlexConnection.Tls.OWN_CA
        if is_custom and cleaned.get("authority") == "":
            self.add_error("authority", "Paste the CA certificate.")
        return cleaned

    def save(self, commit: bool = True) -> Any:
        if token := self.cleaned_data["token"]:
            self.instance.token = token
        return super().save(commit)


def _normalized(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def _token_help(row: PlexConnection) -> str:
    if not row.encrypted_token:
        return NO_TOKEN
    if row.token is None:
        return UNREADABLE
    ending = f"Ends in …{row.token_ending}. " if row.token_ending else ""
    return f"A token is stored, encrypted. {ending}Leave this field empty to keep it."


@admin.register(PlexConnection)
class ConnectionAdmin(SingleRowAdmin):
    """Show the only row at once, with buttons to test it and to sign in to Plex."""

    form = ConnectionForm
    fields = ["url", "token", "tls", "authority", "seconds", "show_file_paths"]
    saved = "Connection saved. Takes effect within 2 seconds."

    def get_urls(self) -> list[URLPattern]:
        test, trial = require_POST(self.test_view), require_POST(self.trial_view)
        server = "servers/<str:machine_identifier>/"
        own = [
            path("test/", self._checked(test), name=f"{_NAME}_test"),
            path("sign-in/", self._checked(self.sign_in_view), name=f"{_NAME}_sign_in"),
            path("servers/", self._checked(self.servers_view), name=f"{_NAME}_servers"),
            path(server, self._checked(self.addresses_view), name=f"{_NAME}_addresses"),
            path(f"{server}test/", self._checked(trial), name=f"{_NAME}_trial"),
        ]
        return [*own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form, and first what is missing before Plex can be used."""
        context = (extra_context or {}) | {"missing": what_is_missing()}
        return super().changeform_view(request, object_id, form_url, context)

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Test the saved connection and report the result in one sentence."""
        row = PlexConnection.objects.first()
        if row is None:
            messages.error(request, NO_SERVER)
        else:
            report_test(request, row)
        return HttpResponseRedirect(self.page())

    def sign_in_view(self, request: HttpRequest) -> HttpResponse:
        """Start or cancel a sign-in to Plex with POST; check whether it is finished with GET."""
        if request.method == "POST":
            return self._start_or_cancel(request)
        return sign_in.page(request, self)

    def servers_view(self, request: HttpRequest) -> HttpResponse:
        """Show the servers of the account that has signed in."""
        return servers.page(request, self)

    def addresses_view(self, request: HttpRequest, machine_identifier: str) -> HttpResponse:
        """Show the addresses of one of these servers with GET; test or use them with POST."""
        return addresses.page(request, self, machine_identifier)

    def trial_view(self, request: HttpRequest, machine_identifier: str) -> HttpResponse:
        """Test one of these addresses."""
        return addresses.test(request, machine_identifier)

    def page(self) -> str:
        # The first use of the settings creates the row that the environment describes.
        runtime.current()
        return super().page()

    def _checked(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Return a view for those who may change the connection."""

        @wraps(view)
        def checked(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if not self.has_change_permission(request):
                raise PermissionDenied
            runtime.current()  # creates the row that the environment describes
            return view(request, **arguments)

        return self.admin_site.admin_view(checked)

    def _start_or_cancel(self, request: HttpRequest) -> HttpResponse:
        if "cancel" in request.POST:
            sign_in.cancel(request)
        elif failure := sign_in.start(request):
            messages.error(request, failure)
        else:
            return HttpResponseRedirect(request.path)
        return HttpResponseRedirect(self.page())
