from .app import COMMANDS as COMMANDS
from .app import build_app as build_app
from .app import console as console
from .app import main as main
from .app import run as run
