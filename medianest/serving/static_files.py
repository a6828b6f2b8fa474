"""Static files, and the sample client where a setting serves it."""

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, with the modules of the TypeScript client below the sample client's own.

    The sample client imports `./medianest/session.js`. A link in its folder would do the same, but
    not in every checkout: Git writes links as text files where the system has none.
    """

    def __init__(self, get_response: object) -> None:
        super().__init__(get_response)
        if hasattr(settings, "WHITENOISE_ROOT"):
            modules = settings.BASE_DIR / "clients" / "typescript" / "src"
            self.add_files(str(modules), prefix="/medianest/")
