"""The data sets by name, as their readers (``READERS``) state them."""
from pathlib import Path

from mmhuman_dto.registry import READERS


def public_sets():
    """{name: reader} of all data sets whose readers are registered, a user's own among them.

    Raises:
        ValueError: two readers of one name.
    """
    READERS.import_from_location()
    readers = [reader for reader in READERS.module_dict.values() if vars(reader).get('info')]
    sets = {reader.info.name: reader for reader in readers}
    for reader in readers:
        if sets[reader.info.name] is not reader:
            raise ValueError(f'{reader.__name__} and {sets[reader.info.name].__name__} are both readers of data set '
                             f'{reader.info.name!r}; give one of them another name')
    return dict(sorted(sets.items()))


def command_for(table):
    """The command that writes a table where recipes look for it, ``data/NAME/tables/SPLIT``; None for other folders."""
    parts, sets = Path(table).parts[-4:], public_sets()
    if len(parts) < 4 or parts[2] != 'tables' or parts[1] not in sets or parts[3] not in sets[parts[1]].info.splits:
        return None
    module = sets[parts[1]].__module__
    own = '' if module.startswith('mmhuman_dto.') else f' --import {module}'
    return f'python tools/dataset_converters/public2table.py {parts[1]} {parts[3]}{own}'
