"""Papers made up for tests of the tagger; each says plainly what it is about."""

SHORTER = (
    "Less Talk: A Length Penalty against Overthinking",
    "Large reasoning models write long chains of thought and overthink easy problems. We train the model with reinforcement "
    "learning and a length penalty that grows when a question is easy. On GSM8K and AIME the response length falls by half "
    "and accuracy is kept, so that token usage per problem is far lower.",
)
LATENT = (
    "Quiet Loops: Latent Reasoning with a Looped Language Model",
    "Instead of writing its steps, our looped transformer reasons in a continuous latent space: the last hidden state is fed "
    "back as the next input. Latent thoughts replace the chain of thought on ProsQA and other logical reasoning tasks.",
)
SPECULATIVE = (
    "Two Heads: Speculative Decoding for Faster Reasoning Models",
    "A small draft model proposes reasoning steps and the large reasoning model verifies them, which gives a speedup in latency "
    "at equal accuracy. The method is training-free and collaborates between small and large models.",
)
FOREIGN = (
    "Segmenting Cells in Microscopy Images with Graph Networks",
    "We present a graph neural network for the segmentation of cells in microscopy images and compare it with convolutional "
    "baselines on three public datasets of stained tissue.",
)
