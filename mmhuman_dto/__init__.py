"""mmhuman_dto: several people's bodies, sizes and places in one metric camera space, from a single image."""

__version__ = '0.1.0'
