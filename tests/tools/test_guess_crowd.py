from scripts import load_script


def test_a_guess_finds_all_and_orders_nobody(config):
    figures = load_script('tools/benchmark/guess_crowd.py').main([str(config), '--scenes', '4'])
    assert figures['f1'] == 100 and figures['depth_order'] == 0
    assert 30 < figures['pa_mpjpe'] < figures['mpjpe'] and figures['fov_error'] < 30
    assert 0 < figures['relative_depth_error_scaled'] < figures['relative_depth_error'] < 100
