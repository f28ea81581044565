from .cloud import Cloud as Cloud
from .cloud import draw_cloud as draw_cloud
