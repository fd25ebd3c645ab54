_base_ = ['./adamw_cosine_200k.py']

param_scheduler = dict(end=20000)
train_cfg = dict(max_iters=20000, val_interval=2000)
