from .cli.demo import DemoResult as DemoResult
from .cli.demo import demo as demo
from .cli.doctor import Health as Health
from .cli.doctor import doctor as doctor
from .nightly.nightly import NightlyResult as NightlyResult
from .nightly.nightly import nightly as nightly
from .page.report import write_report as write_report
