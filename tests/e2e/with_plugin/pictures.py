"""Pictures of pages, wide and as on a phone; no page may be wider than its window."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

# By how much the page is too wide, and what sticks out.
_OVER = """() => {
  const width = document.documentElement.clientWidth;
  const over = document.documentElement.scrollWidth - width;
  const out = over <= 0 ? [] : [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > width)
    .map((each) => `${each.tagName}#${each.id}.${each.className}`);
  return {over, out: out.slice(-12)};
}"""


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
            found = page.evaluate(_OVER)
            if found["over"] > 0:
                self.wide.append(f"{name} at {width}: {found['over']} too wide: {found['out']}")
            if self.folder is not None:
                path = self.folder / f"{name}-{width}.png"
                page.screenshot(path=path, full_page=True, animations="disabled")
