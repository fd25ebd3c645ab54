# Videos to people through time in metres, offline: as photos, but with joints that are found near where they were in
# the frame before. python demo/image_demo.py clip.mp4
_base_ = ['./photo.py']

stages = dict(detect=dict(source=dict(_delete_=True, type='VideoJoints')))
