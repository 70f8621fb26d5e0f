"""What the tests of the Pix page look at: the picture as a scanner sees it, colours, sizes."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("OMNIMAN_SCREENSHOTS") or ROOT / "build" / "screenshots")

CONTRAST_SCRIPT = """
const luminance = (text) => {
  const parts = text.match(/[\\d.]+/g).slice(0, 3).map((n) => {
    const c = Number(n) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour !== "rgba(0, 0, 0, 0)") return colour;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("h1, h2, p, li, label, dt, dd, button, textarea, a, span")]
  .filter((node) => node.offsetParent && node.textContent.trim() && !node.closest(".qr-spoken"))
  .map((node) => {
    const pair = [luminance(getComputedStyle(node).color), luminance(behind(node))].sort();
    const [dark, light] = pair[0] < pair[1] ? pair : [pair[1], pair[0]];
    return [node.tagName + "#" + node.id, (light + 0.05) / (dark + 0.05)];
  });
"""


def photograph(browser: Any, name: str) -> Path:
    """The whole page as a picture, kept for whoever wants to look at it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    height = browser.execute_script("return document.documentElement.scrollHeight")
    width = browser.execute_script("return window.innerWidth")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 2}
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
    )

    path.write_bytes(base64.b64decode(shot["data"]))
    return path


def scanned(picture: Path) -> list[str]:
    """What a scanner reads on a picture."""
    with Image.open(io.BytesIO(picture.read_bytes())) as image:
        return [found.text for found in zxingcpp.read_barcodes(image.convert("L"))]


def faint(browser: Any, least: float = 4.5) -> list[Any]:
    """Texts whose contrast is below WCAG 2.2 AA."""
    return [found for found in browser.execute_script(CONTRAST_SCRIPT) if found[1] < least]


def wider_than_window(browser: Any) -> bool:
    return bool(
        browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
    )
