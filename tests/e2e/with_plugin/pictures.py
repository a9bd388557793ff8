"""Pictures of pages, wide and as on a phone; no page may be wider than its window."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

_OVER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Pictures:
    """``folder`` is where they are kept, if they are. ``wide`` names pages that did not fit."""

    folder: Path | None
    wide: list[str] = field(default_factory=list)

    def take(self, page: Page, name: str) -> None:
        """Look at a page at both widths."""
        page.bring_to_front()
        for width in (390, 1200):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(300)
            if (over := page.evaluate(_OVER)) > 0:
                self.wide.append(f"{name} at {width}: {over} pixels too wide")
            if self.folder is not None:
                path = self.folder / f"{name}-{width}.png"
                page.screenshot(path=path, full_page=True, animations="disabled")
