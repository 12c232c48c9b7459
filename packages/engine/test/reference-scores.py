"""Writes reference-scores.json: what rouge-score 0.1.2, sacrebleu 2.6.0 and NLTK's Porter stemmer say of random texts.

    pip install rouge-score==0.1.2 sacrebleu==2.6.0
    python reference-scores.py > reference-scores.json
"""

import json
import random

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

chosen = random.Random(20261121)
words = (
    "the a cat cats sat on mat running runs nationally conditional hopefulness U.S. 3.14 1,000 10-20 it's don't "
    "“quoted” café naïve über 東京 は 😀 e.g. state-of-the-art $5 50% <skipped> &amp; &lt;b&gt; relational flies dying "
    "argued generalization, skies! sky? (yes) end. well- x yyyy agreed"
).split()
gaps = [" ", " ", " ", " ", "  ", "\n", "-\n", "\t", "\u00a0", "\u2003", ""]
endings = "ational tional izer alli ousli ization ator fulness biliti fulli logi icate ical ness ement ion ize e ll ed ing ied ies s y".split()


def text(most):
    return "".join(chosen.choice(words) + chosen.choice(gaps) for _ in range(chosen.randrange(most)))


def pair(most):
    prediction, references = text(most), [text(most) for _ in range(chosen.choice([1, 1, 2, 3]))]
    if chosen.random() < 0.6:
        references[0] = " ".join(word for word in prediction.split(" ") if chosen.random() < 0.8)
    return prediction, references


def row(most):
    prediction, references = pair(most)
    return {
        "prediction": prediction,
        "references": references,
        "rouge": {
            stemmer: {
                name: [score.precision, score.recall, score.fmeasure]
                for name, score in scorer.score(references[0], prediction).items()
            }
            for stemmer, scorer in rouge.items()
        },
        "bleu": {
            f"{tokenizer} {case}": [score.score, *score.precisions, score.bp, score.sys_len, score.ref_len]
            for (tokenizer, case), metric in bleu.items()
            for score in [metric.sentence_score(prediction, references)]
        },
        "chrf": {
            f"{order} {case}": metric.sentence_score(prediction, references).score for (order, case), metric in chrf.items()
        },
    }


cases = {"mixed": False, "lower": True}
kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
rouge = {name: rouge_scorer.RougeScorer(kinds, use_stemmer=name == "stemmed") for name in ("plain", "stemmed")}
bleu = {
    (tokenizer, case): BLEU(tokenize=tokenizer, effective_order=True, lowercase=lower)
    for tokenizer in ("13a", "intl", "none")
    for case, lower in cases.items()
}
chrf = {(order, case): CHRF(word_order=order, lowercase=lower) for order in (0, 2) for case, lower in cases.items()}
stem = PorterStemmer().stem
stemmed = sorted(
    {
        "".join(chosen.choice("aeiouybcdlst") for _ in range(chosen.randrange(1, 5))) + chosen.choice(endings)
        for _ in range(400)
    }
)
table = {
    "texts": [row(most) for most in [4] * 8 + [12] * 16 + [40] * 12 + [80] * 4],
    "stems": [[word, stem(word)] for word in stemmed if len(word) > 3],
}
print(json.dumps(table, indent=1))
