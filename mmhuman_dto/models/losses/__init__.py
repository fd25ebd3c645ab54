from . import body, boxes, camera, confidence, depth
from .base import MatchedLoss, PersonLoss
from .criterion import SetCriterion
