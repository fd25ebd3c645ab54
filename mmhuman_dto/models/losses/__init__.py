from . import body, boxes, camera, confidence, depth, stated
from .base import MatchedLoss, PersonLoss
from .criterion import SetCriterion
