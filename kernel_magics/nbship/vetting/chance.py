"""What draws at random, and what seeds it: tables of names.

The scikit-learn names are those of version 1.9 whose signature has ``random_state=None``
(``inspect.signature`` over ``sklearn.utils.all_estimators()`` and the public functions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: call -> the generators that it seeds
SEEDERS: Mapping[str, frozenset[str]] = {
    "random.seed": frozenset({"random"}),
    "numpy.random.seed": frozenset({"numpy"}),
    "torch.manual_seed": frozenset({"torch"}),
    "torch.random.manual_seed": frozenset({"torch"}),
    "tensorflow.random.set_seed": frozenset({"tensorflow"}),
}
#: generators that calls such as ``seed_everything(1)`` or ``set_random_seed(1)`` seed
ALL_GENERATORS = frozenset({"random", "numpy", "torch", "tensorflow"})

RANDOM_FUNCTIONS = _names(
    "betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits "
    "lognormvariate normalvariate paretovariate randbytes randint random randrange sample shuffle "
    "triangular uniform vonmisesvariate weibullvariate"
)
NUMPY_FUNCTIONS = _names(
    "beta binomial bytes chisquare choice dirichlet exponential f gamma geometric gumbel "
    "hypergeometric laplace logistic lognormal logseries multinomial multivariate_normal "
    "negative_binomial noncentral_chisquare noncentral_f normal pareto permutation poisson power "
    "rand randint randn random random_integers random_sample ranf rayleigh sample shuffle "
    "standard_cauchy standard_exponential standard_gamma standard_normal standard_t triangular "
    "uniform vonmises wald weibull zipf"
)
#: generators of their own, random unless the first argument seeds them
OWN_GENERATORS = frozenset(
    {
        "numpy.random.default_rng",
        "numpy.random.RandomState",
        "numpy.random.SeedSequence",
        "numpy.random.PCG64",
        "numpy.random.MT19937",
        "numpy.random.Philox",
        "numpy.random.SFC64",
        "random.Random",
    }
)
TORCH_FUNCTIONS = _names(
    "bernoulli multinomial normal poisson rand rand_like randint randint_like randn randn_like "
    "randperm"
)
#: layers of ``torch.nn`` whose weights start at random
TORCH_LAYERS = _names(
    "Linear LazyLinear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d "
    "ConvTranspose3d Embedding EmbeddingBag GRU GRUCell LSTM LSTMCell RNN RNNCell "
    "MultiheadAttention Transformer TransformerEncoderLayer TransformerDecoderLayer"
)
TENSORFLOW_FUNCTIONS = _names(
    "normal uniform truncated_normal shuffle categorical gamma poisson"
)
#: module -> the generator that these functions of it draw from
GLOBAL_DRAWS: Mapping[str, tuple[str, frozenset[str]]] = {
    "random": ("random", RANDOM_FUNCTIONS),
    "numpy.random": ("numpy", NUMPY_FUNCTIONS),
    "torch": ("torch", TORCH_FUNCTIONS),
    "torch.nn": ("torch", TORCH_LAYERS),
    "tensorflow.random": ("tensorflow", TENSORFLOW_FUNCTIONS),
}

#: random without ``random_state``, whatever else is given
SKLEARN_ALWAYS = _names(
    "AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor "
    "BayesianGaussianMixture BernoulliRBM BisectingKMeans DecisionTreeClassifier "
    "DecisionTreeRegressor DictionaryLearning EllipticEnvelope ExtraTreeClassifier "
    "ExtraTreeRegressor ExtraTreesClassifier ExtraTreesRegressor FastICA GaussianMixture "
    "GaussianRandomProjection GradientBoostingClassifier GradientBoostingRegressor "
    "GroupShuffleSplit HalvingRandomSearchCV IsolationForest KMeans LatentDirichletAllocation "
    "MDS MLPClassifier MLPRegressor MinCovDet MiniBatchDictionaryLearning MiniBatchKMeans "
    "MiniBatchNMF MiniBatchSparsePCA Nystroem OutputCodeClassifier PassiveAggressiveClassifier "
    "PassiveAggressiveRegressor PatchExtractor PolynomialCountSketch RANSACRegressor RBFSampler "
    "RandomForestClassifier RandomForestRegressor RandomTreesEmbedding RandomizedSearchCV "
    "RepeatedKFold RepeatedStratifiedKFold SGDClassifier SGDOneClassSVM SGDRegressor "
    "ShuffleSplit SkewedChi2Sampler SparsePCA SparseRandomProjection SpectralBiclustering "
    "SpectralClustering SpectralCoclustering SpectralEmbedding StratifiedShuffleSplit TSNE "
    "TheilSenRegressor TruncatedSVD "
    "fast_mcd fastica k_means kmeans_plusplus make_biclusters make_blobs make_checkerboard "
    "make_classification make_friedman1 make_friedman2 make_friedman3 make_gaussian_quantiles "
    "make_hastie_10_2 make_low_rank_matrix make_moons make_multilabel_classification "
    "make_regression make_s_curve make_sparse_coded_signal make_sparse_spd_matrix "
    "make_sparse_uncorrelated make_spd_matrix make_swiss_roll mutual_info_classif "
    "mutual_info_regression permutation_importance randomized_svd resample shuffle smacof "
    "spectral_clustering spectral_embedding train_test_split"
)
#: random where the data are large or wide, which a reader of the code cannot know
SKLEARN_SOMETIMES = _names(
    "HistGradientBoostingClassifier HistGradientBoostingRegressor LinearSVC LinearSVR "
    "QuantileTransformer KBinsDiscretizer quantile_transform"
)
#: random where this keyword has one of these values
SKLEARN_IF: Mapping[str, tuple[str, frozenset[object]]] = {
    **dict.fromkeys(
        (
            "KFold",
            "StratifiedKFold",
            "GroupKFold",
            "StratifiedGroupKFold",
            "learning_curve",
        ),
        ("shuffle", frozenset({True})),
    ),
    **dict.fromkeys(
        ("fetch_covtype", "fetch_kddcup99", "fetch_rcv1"),
        ("shuffle", frozenset({True})),
    ),
    **dict.fromkeys(
        ("LogisticRegression", "LogisticRegressionCV"),
        ("solver", frozenset({"sag", "saga", "liblinear"})),
    ),
    **dict.fromkeys(
        ("Ridge", "RidgeClassifier", "ridge_regression"),
        ("solver", frozenset({"sag", "saga"})),
    ),
    **dict.fromkeys(("SVC", "NuSVC"), ("probability", frozenset({True}))),
    **dict.fromkeys(
        (
            "Lasso",
            "LassoCV",
            "ElasticNet",
            "ElasticNetCV",
            "MultiTaskLasso",
            "MultiTaskElasticNet",
        ),
        ("selection", frozenset({"random"})),
    ),
    **dict.fromkeys(
        ("ClassifierChain", "RegressorChain"), ("order", frozenset({"random"}))
    ),
    "DummyClassifier": ("strategy", frozenset({"stratified", "uniform"})),
    "PCA": ("svd_solver", frozenset({"randomized", "arpack"})),
    "NMF": ("init", frozenset({"random", "nndsvdar"})),
}
