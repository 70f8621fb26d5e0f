"""How the documentation is built: Markdown in, HTML out, and nothing fetched on the way."""

project = "Omniman Payments"
author = "The Omniman Payments authors"
copyright = "2026, The Omniman Payments authors"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
root_doc = "index"
# A reference to a name or page that is not there fails the build.
nitpicky = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"

html_theme = "furo"
html_title = "Omniman Payments"
