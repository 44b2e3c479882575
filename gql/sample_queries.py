"""The queries GraphiQL offers: each runs as it stands against the demo plant."""

from typing import Final

SAMPLES: Final[tuple[tuple[str, str], ...]] = (
    (
        "Who am I?",
        "# Press the play button. The token stands under Headers.\n{\n  viewer { organizationName role subject }\n}\n",
    ),
)
