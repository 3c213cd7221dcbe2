"""The pages beside the models' doors: `pages` (health, lists of models), `observation` (usage, accounts, settings), `measures`
(what `metrics` counted), `routing_pages` (what routing would do and did), `control` (the administration).

All but the last only read. Whatever changes something belongs to the window, or to the administration with a token of its own:
the token that models are called with must not reach it.
"""

from lynkr_desktop.engine.admin.control import ControlPages as ControlPages
from lynkr_desktop.engine.admin.control import Steward as Steward
from lynkr_desktop.engine.admin.metrics import Metrics as Metrics
from lynkr_desktop.engine.admin.observation import Sources as Sources
from lynkr_desktop.engine.admin.pages import Admin as Admin
from lynkr_desktop.engine.admin.routing_pages import RoutingPages as RoutingPages
