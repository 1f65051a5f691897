"""Questions about the sample documents: answered in part, not at all, or wholly although they have several parts."""

from __future__ import annotations

from typing import NamedTuple


class Partial(NamedTuple):
    """A question of which the documents hold a part: words of that part's answer, and words of what is missing."""

    question: str
    said: str
    missing: str


PARTIAL = (
    # Two clauses
    Partial(
        "At what pressure is an espresso made, and which machine should I buy for under 500 euros?",
        "9 bar",
        "500 euros",
    ),
    Partial("Who invented the paper coffee filter and how many children did she have?", "Melitta Bentz", "children"),
    Partial("When was the Wigomat patented, and what did it cost in shops?", "1954", "cost"),
    Partial("What is a peaberry and how much does a kilogram of it cost at auction?", "single round seed", "auction"),
    Partial(
        "How long do roasted beans stay fresh, and which supermarket sells the freshest ones?", "4 to 6 weeks", "superm"
    ),
    Partial(
        "Which museum shows the Chemex, and how many of them are sold every year?",
        "Museum of Modern Art",
        "sold every year",
    ),
    Partial(
        "Who wrote the Coffee Cantata, and who conducted its latest recording?", "Johann Sebastian Bach", "recording"
    ),
    Partial(
        "Does roasting change the amount of caffeine, and does it change the amount of fibre?", "very little", "fibre"
    ),
    Partial("How hot should milk for coffee be, and how many calories does it have?", "55 and 65 °C", "calories"),
    Partial("Why does a coffee bag have a valve, but who holds the patent on it?", "carbon dioxide", "patent"),
    # Two questions
    Partial("What is cascara? And where can I buy it online?", "dried skins", "online"),
    Partial("At what temperature does the first crack happen? How loud is it in decibels?", "196 °C", "decibels"),
    Partial("Who opened the first coffee house in London? What was his wife called?", "Pasqua Rosée", "wife"),
    Partial(
        "I have an AeroPress at home. Who invented it? And which company owns the brand today?",
        "Alan Adler",
        "company owns",
    ),
    Partial("What is the half-life of caffeine in adults? What is it in cats?", "5 hours", "cats"),
    # A list of things
    Partial("How much caffeine is in a cup of filter coffee and in a cup of matcha?", "95 milligrams", "matcha"),
    Partial("At what temperature does water boil in La Paz and in Kathmandu?", "88 °C", "Kathmandu"),
    Partial("Who designed the Chemex and the Kalita Wave?", "Peter Schlumbohm", "Kalita Wave"),
    Partial("Where do the names of cappuccino and of affogato come from?", "Capuchin friars", "affogato"),
    Partial("What do the Faema E61 and the Rancilio Silvia owe their names to?", "solar eclipse", "Rancilio Silvia"),
    Partial("Which country is the largest producer of coffee, of tea and of cocoa?", "Brazil", "tea"),
    Partial("When did the Café Procope in Paris open, and who owns it today?", "1686", "owns"),
    # Two clauses in German
    Partial("Wer brachte die Mokkakanne auf den Markt, und was kostete sie damals?", "Alfonso Bialetti", "kostete"),
    Partial("Wie hoch ist der Druck in einer Mokkakanne und welche Marke ist Testsieger?", "1,5 bar", "Testsieger"),
    Partial("Was ist ein Einspänner, und wie viele Kalorien hat er?", "Schlagobers", "Kalorien"),
    Partial("Wann wurde das Café Central eröffnet und wie viele Sitzplätze hat es?", "1876", "Sitzplätze"),
    Partial("Wer gestaltete das Café Museum, und was kostet dort heute ein Frühstück?", "Adolf Loos", "Frühstück"),
    Partial("Wie oft sollte man den Dichtungsring ersetzen und wo bekommt man ihn online?", "einmal im Jahr", "online"),
    Partial("Warum wird Kaffee aus der Mokkakanne bitter, und hilft dagegen Salz?", "zu lange oder zu heiß", "Salz"),
    Partial(
        "Woraus besteht eine Melange, aber wie viel Prozent der Gäste bestellen sie?",
        "heißer Milch",
        "Prozent der Gäste",
    ),
    Partial("Wann starb Renato Bialetti und wer leitet die Firma heute?", "2016", "heute"),
    Partial("Aus welchen Teilen besteht die Mokkakanne, und wie lange gilt die Garantie?", "Wasserkessel", "Garantie"),
    # Two questions in German
    Partial("Wie heiß ist das Wasser in der Mokkakanne? Und wie laut ist sie?", "70 bis 100 °C", "laut"),
    Partial("Wer eröffnete das erste Wiener Kaffeehaus? Wie hieß seine Frau?", "Johannes Diodato", "Frau"),
    Partial(
        "Ich war gestern in Wien. Wie spricht man dort den Kellner an? Und wie viel Trinkgeld gibt man ihm?",
        "Herr Ober",
        "Trinkgeld",
    ),
    Partial("Was ist ein Fiaker? Wo hat der erste Fiakerkutscher gewohnt?", "Rum", "gewohnt"),
    Partial("Seit wann gehört das Wiener Kaffeehaus zum Kulturerbe? Wer hat den Antrag gestellt?", "2011", "Antrag"),
    # A list of things in German
    Partial("Wann kamen der Stuhl Nr. 14 und der Stuhl Nr. 209 auf den Markt?", "1859", "209"),
    Partial("Was bedeuten Verlängerter und Zarenkaffee auf der Karte?", "heißem Wasser", "Zarenkaffee"),
    Partial("Wie viel Kaffeepulver braucht eine Kanne für 3 Tassen und für 18 Tassen?", "15 g", "18"),
    Partial("Wer war Gast im Café Griensteidl und im Café Prückel?", "Schnitzler", "Prückel"),
    Partial(
        "Welche Mokkakannen eignen sich für einen Induktionsherd und für die Mikrowelle?", "Edelstahl", "Mikrowelle"
    ),
)

# Nothing of these is there; the words are those that `missing` must hold.
REFUSED = (
    ("Who won the 1998 World Cup, and who scored the second goal?", "World Cup"),
    ("What is the capital of Mongolia? How many people live there?", "Mongolia"),
    ("Wie hoch ist die Zugspitze, und wer hat sie zuerst bestiegen?", "Zugspitze"),
    ("How many strings does a cello have and what are they made of?", "cello"),
    ("Welche Steuern zahlt ein Freiberufler in Spanien? Wann sind sie fällig?", "Steuern"),
)

# All parts of these are answered: the words of each part's answer.
WHOLE = (
    ("What is crema made of and why does it form?", ("carbon dioxide",)),
    ("Who invented the paper coffee filter, and when?", ("Melitta Bentz", "1908")),
    ("When and where did Pasqua Rosée open the first coffee house in London?", ("1652", "Cornhill")),
    ("At what temperatures do the first crack and the second crack happen?", ("196 °C", "225 °C")),
    ("How much caffeine is in a cup of filter coffee and in a single espresso?", ("95 milligrams", "63 milligrams")),
    ("What is cascara? And what is a peaberry?", ("dried skins", "single round seed")),
    ("Who designed the Chemex, and which museum has it?", ("Peter Schlumbohm", "Museum of Modern Art")),
    ("What is the difference between conical and flat burrs?", ("cone turning inside a ring",)),
    ("How do arabica and robusta differ in taste?", ("sweeter",)),
    ("Does robusta have more caffeine than arabica, and which of them tastes sweeter?", ("twice as much", "sweeter")),
    ("Why is benzene no longer used, and what does the water process use instead?", ("cancer", "green coffee extract")),
    ("How long does cold brew steep, and how long does a French press take?", ("12 to 24 hours", "4 minutes")),
    ("Are casein and whey protein the two groups of milk protein?", ("casein and whey protein",)),
    ("What do oxygen, moisture, heat and light do to roasted coffee?", ("stale",)),
    ("Wer brachte die Mokkakanne wann und wo auf den Markt?", ("Alfonso Bialetti", "1933", "Crusinallo")),
    ("Was ist ein Einspänner, und was ist ein Fiaker?", ("Schlagobers", "Rum")),
    ("Wann wurde das Café Central eröffnet, und wer spielte dort Schach?", ("1876", "Trotzki")),
    ("Wie hoch ist der Druck in der Mokkakanne und in der Espressomaschine?", ("1,5 bar", "9 bar")),
    (
        "Warum hieß das Café Museum auch Café Nihilismus? Wer hat es gestaltet?",
        ("schlichten Einrichtung", "Adolf Loos"),
    ),
    ("Wer waren Hermann Bahr und Arthur Schnitzler?", ("Dichter",)),
)
