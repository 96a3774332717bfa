"""Pages from the templates beside this module: everything is escaped, and a name that is not given is an error."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tasks", "templates"), undefined=StrictUndefined, autoescape=True, trim_blocks=True
    )


def render_template(name: str, **values: object) -> Markup:
    """The template called `name`, filled in."""
    return Markup(_environment().get_template(name).render(**values))  # noqa: S704 - escaped by the template
