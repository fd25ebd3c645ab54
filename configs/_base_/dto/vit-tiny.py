# DTO of people by the bundled networks, in photos and in data sets: what distances and sizes of vit-tiny are worth
# (tools/benchmark/fit_network_terms.py, on other crowds). Its focal lengths stay: heights of people of unknown age say
# less of them. Its poses are too coarse for feet to tell the ground, its pictures too small for 500 visible vertices a
# person.
stages = dict(dto=dict(
    evidence=dict(min_visible_vertices=100),
    solver=dict(type='PosteriorDTO', focal_std=0, size_std=.08, terms=dict(
        initial=None, ground=None, translation=dict(type='TranslationTerm', std=.06, bias_std=.09)))))
