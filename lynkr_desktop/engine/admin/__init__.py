"""The pages beside the models' doors: `pages` (health, lists of models), `observation` (usage, accounts, settings), `metrics`,
`routing_pages` (what routing would do and did).

All of them only read. Whatever changes something belongs to the window: the token that models are called with must not reach it.
"""

from lynkr_desktop.engine.admin.metrics import Metrics as Metrics
from lynkr_desktop.engine.admin.observation import Sources as Sources
from lynkr_desktop.engine.admin.pages import Admin as Admin
from lynkr_desktop.engine.admin.routing_pages import RoutingPages as RoutingPages
