# Rendered crowds nearer to photographs than those of synthetic-crowd.py: pictures of all formats, up to 30 people,
# close-ups and people whom the frame cuts, cameras held aslant, rooms and streets, clothes, blur, noise and JPEG.
_base_ = ['./synthetic-crowd.py']

scenes = dict(version=2, size=(168, 224), people=(1, 30), fov=(25., 90.), far_share=.06, first_row=(.6, 1.1),
              depth_range=(1.2, 2.))
train_dataloader = dict(dataset=dict(datasets=[
    dict(type='SyntheticCrowd', cache_dir='work_dirs/crowd_cache', scenes=scenes, seed=1, num_scenes=20_000),
]))
val_dataloader = dict(dataset=dict(scenes=scenes))
test_dataloader = val_dataloader
del scenes  # not a key of its own: to change it would change neither loader
