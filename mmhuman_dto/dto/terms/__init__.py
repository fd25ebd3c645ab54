from .base import NoisyTerm, Normal, Site, Term
from .depth import DepthTerm, ReliefTerm
from .ground import GroundTerm
from .height import HeightTerm
from .initial import InitialTerm
from .translation import TranslationTerm
