"""mmhuman_dto: several people's bodies, sizes and places in one metric camera space, from a single image."""

__version__ = '0.1.0'


def __getattr__(name):
    # Only when it is asked for: networks and OpenMMLab's parts take seconds to import.
    if name == 'HumanInferencer':
        from .apis import HumanInferencer
        return HumanInferencer
    if name == 'place':
        from .apis.placing import place
        return place
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
