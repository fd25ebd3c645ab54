"""What is shipped: recipes, and the weights they use, with licence, size and where they are from."""
from pathlib import Path
from typing import NamedTuple

from mmhuman_dto.fileio.bundled import BUNDLED, CONFIGS
from mmhuman_dto.movenet import WEIGHTS as MOVENET
from mmhuman_dto.perception.blazepose_look import WEIGHTS as BLAZEPOSE

from .text_table import as_text


class Weights(NamedTuple):
    """Weights of a network: bundled, a file, or fetched from the Hugging Face hub by their name."""
    name: str
    what: str
    licence: str
    file: Path | None = None
    megabytes: int = 0  # about, of what is fetched

    @property
    def row(self):
        """Cells of :data:`HEADER`."""
        if self.file is None:
            return self.name, self.what, self.licence, f'about {self.megabytes} MB', 'fetched: Hugging Face hub'
        return self.name, self.what, self.licence, f'{self.file.stat().st_size / 1e6:.1f} MB', 'bundled'


class Recipe(NamedTuple):
    """A recipe, by the name of its config in ``configs/photo``."""
    name: str
    what: str
    weights: tuple[Weights, ...]
    dto: bool = True  # whether DTO runs where nobody says


HEADER = ('weights', 'for', 'licence', 'size', 'from')
#: In the order in which they are worth a try.
RECIPES = (
    Recipe('photo', "any photo, offline: everybody's joints, bodies fitted to them, DTO without a depth map", (
        Weights('movenet_multipose', 'people, joints: MoveNet MultiPose Lightning', 'Apache-2.0', MOVENET),
        Weights('blazepose_full', 'a second look at joints: BlazePose full', 'Apache-2.0', BLAZEPOSE))),
    Recipe('photo-hub', 'any photo, by larger networks, which are fetched when first used, and a depth map', (
        Weights('PekingU/rtdetr_r50vd', 'people: RT-DETR R50', 'Apache-2.0', megabytes=170),
        Weights('usyd-community/vitpose-base-simple', 'joints: ViTPose-B', 'Apache-2.0', megabytes=350),
        Weights('depth-anything/Depth-Anything-V2-Small-hf', 'depth: Depth Anything V2 Small', 'Apache-2.0',
                megabytes=100))),
    Recipe('video', 'videos, offline: as photo, with joints followed from frame to frame', (
        Weights('movenet_multipose', 'people, joints: MoveNet MultiPose Lightning', 'Apache-2.0', MOVENET),
        Weights('blazepose_full', 'a second look at joints: BlazePose full', 'Apache-2.0', BLAZEPOSE))),
    Recipe('network', 'a Metric-Aware HMR network; the bundled one sees by MoveNet', (
        Weights('movenet_synthetic-crowd', 'meshes: Metric-Aware HMR', 'Apache-2.0',
                BUNDLED / 'demo/resources/movenet_synthetic-crowd.safetensors'),
        Weights('movenet_multipose', 'people, joints: MoveNet MultiPose Lightning', 'Apache-2.0', MOVENET)), dto=False),
)


def runs_dto(path):
    """Whether the recipe of a file runs DTO where nobody says; of all that are not listed here it does."""
    files = {(CONFIGS / f'photo/{recipe.name}.py').resolve(): recipe.dto for recipe in RECIPES}
    return files.get(Path(path).resolve(), True)


def listing():
    """Text about all recipes and weights."""
    recipes = as_text(('recipe', 'for'), [(recipe.name, recipe.what) for recipe in RECIPES])
    weights = as_text(('recipe', *HEADER), [(recipe.name, *part.row) for recipe in RECIPES for part in recipe.weights])
    return '\n'.join([*recipes, '', *weights])
