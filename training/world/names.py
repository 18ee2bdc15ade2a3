"""Real names: those training may show, and those kept back to test the copying of names never seen.

Made-up names (see `spelling`) are fitted to the first lists; nothing ever draws from `UNSEEN` but the evaluation.
"""

PEOPLE = """
Adam Adrian Agnes Aisha Alan Albert Alex Alfred Alice Alina Amanda Amir Amy Ana Andrea Andrew Angela Anita Anna Anton Arthur Aurora Barbara Ben
Benjamin Bernard Beth Bianca Bill Bjorn Boris Brenda Brian Bruno Camille Carla Carlos Carmen Caroline Cecilia Charles Charlie Chen Chloe Chris
Clara Claire Claudia Colin Conrad Cora Daisy Daniel Daria David Dean Deborah Denise Diana Diego Dora Doris Dylan Eddie Edgar Edith Edward Elena
Eliza Ella Ellen Elliot Elsa Emil Emily Emma Eric Erica Ernest Esther Ethan Eva Evelyn Fabio Faith Fatima Felix Fiona Florence Frances Frank Freya
Gabriel Gail Gary George Georgia Gerald Gina Gloria Grace Greta Gustav Hannah Harold Harriet Harry Hassan Heather Hector Heidi Helen Henry Hilda
Holly Hugo Ian Ibrahim Ida Igor Ines Ingrid Irene Isaac Isabel Ivan Jack Jacob James Jane Janet Jasmine Jason Jean Jenny Jerome Jessica Joan John
Jonas Jorge Joseph Julia Julian Karen Karim Karl Kate Keith Kenji Kevin Klara Kurt Lars Laura Lea Leila Lena Leo Leon Liam Lily Linda Lisa Louis
Lucas Lucy Luis Luna Lydia Mabel Magnus Marco Margaret Maria Marie Mario Mark Martha Martin Mary Matilda Max Maya Megan Mia Michael Miguel Mike Mila
Mina Miriam Mohamed Mona Nadia Nancy Naomi Natalie Nathan Nelly Nicholas Nicole Nina Noah Noel Nora Norman Olaf Olga Oliver Olivia Omar Oscar Otto
Owen Pablo Pamela Patricia Patrick Paul Paula Pedro Penny Peter Petra Philip Phoebe Pia Priya Quentin Rachel Ralph Ravi Raymond Rebecca Rita Robert
Robin Roger Roland Romeo Rosa Rosie Ruby Rupert Ruth Ryan Sabine Sally Sam Samira Samuel Sandra Sara Sarah Sean Selma Serena Shirley Silvia Simon
Sofia Sonia Stefan Stella Stephen Susan Sven Sylvia Tamara Tanya Tara Ted Teresa Theo Theresa Thomas Tina Tobias Tom Tony Ulrich Ursula Valerie Vera
Veronica Victor Victoria Vincent Viola Violet Walter Wanda Wendy Werner William Xavier Yasmin Yves Yusuf Zara Zoe Hanako Takeshi Sanjay Deepa Arjun
Kavya Mei Ling Hao Wei Jun Minh Linh Thu Amara Chidi Kwame Zainab Tariq Salma Rashid Dmitri Svetlana Katya Milan Zdenka Pavel Jiri Agnieszka Piotr
""".split()

PETS = """
Ace Alfie Angel Apollo Archie Bailey Bandit Barney Basil Bear Bella Benny Biscuit Blue Bobby Bonnie Boots Boris Brownie Bruno Bubbles Buddy Buster
Button Casper Champ Charlie Chester Chico Cleo Coco Cookie Cosmo Cuddles Daisy Dash Dexter Diesel Dixie Dolly Duke Dusty Elvis Fang Felix Fido Finn
Flash Fluffy Foxy Frankie Freddy Fudge Garfield George Ginger Goldie Gracie Gus Hank Harley Hazel Henry Honey Hunter Iggy Jack Jasper Jester Jojo
Kaiser Kiki King Kira Kitty Lady Lassie Leo Lola Lucky Lulu Luna Mabel Maggie Max Maxi Mickey Midnight Milo Mimi Minka Misty Mitzi Molly Momo Monty
Muffin Murphy Nala Nemo Nero Nico Nugget Oliver Ollie Oreo Oscar Otis Paddy Patch Peanut Pearl Pebbles Penny Pepper Percy Pluto Polly Poppy Prince
Princess Pumpkin Purdy Rex Ricky Riley Rocky Rolo Romeo Rosie Roxy Ruby Rufus Rusty Sadie Sally Sam Sasha Scout Shadow Simba Smokey Snowball Snowy
Socks Sophie Spot Storm Sugar Sunny Sushi Tara Teddy Tiger Tilly Timmy Tinker Toby Toffee Tommy Tootsie Trixie Tucker Turbo Tyson Velvet Whisky
Willy Winnie Wolf Xena Yoda Yogi Zara Zelda Zena Zippy Zizou Zuzu Ziva
""".split()

CITIES = """
Aachen Aarhus Accra Adelaide Algiers Alicante Amsterdam Ankara Antalya Antwerp Athens Atlanta Auckland Austin Baku Baltimore Bangkok Barcelona Basel
Bath Beirut Belfast Belgrade Bergen Berlin Bern Bilbao Birmingham Bogota Bologna Bombay Bonn Bordeaux Boston Brasilia Bremen Brighton Brisbane
Bristol Brno Brussels Bucharest Budapest Cadiz Cairo Calcutta Calgary Canberra Caracas Cardiff Casablanca Chicago Cologne Copenhagen Cordoba Cork
Coventry Dakar Dallas Damascus Darwin Delhi Denver Derby Detroit Dijon Dortmund Dresden Dubai Dublin Dundee Durban Edinburgh Eindhoven Essen Exeter
Florence Frankfurt Fukuoka Galway Gdansk Geneva Genoa Ghent Glasgow Granada Graz Grenoble Groningen Haifa Hamburg Hanoi Hanover Harare Havana
Heidelberg Helsinki Houston Hull Innsbruck Ipswich Istanbul Izmir Jaipur Jakarta Jena Johannesburg Kampala Karachi Kathmandu Kazan Kingston Kobe
Kolkata Krakow Kyoto Lagos Lahore Leeds Leicester Leipzig Lille Lima Limerick Linz Lisbon Liverpool Lodz London Lucerne Lugano Lund Luxembourg Lyon
Madras Madrid Mainz Malaga Manchester Manila Mannheim Maputo Marrakesh Marseille Melbourne Memphis Miami Milan Minsk Monaco Montreal Moscow Munich
Munster Nagoya Nairobi Nantes Naples Newcastle Nice Norwich Nottingham Odense Odessa Omaha Oporto Osaka Ostend Ottawa Oxford Palermo Paris Parma Perth
Phoenix Pisa Plymouth Portland Porto Portsmouth Potsdam Prague Preston Pretoria Quebec Ravenna Reading Regensburg Reims Rennes Riga Rome Rostock
Rotterdam Salamanca Salzburg Santiago Sapporo Seattle Seoul Seville Shanghai Sheffield Siena Singapore Sofia Southampton Split Stockholm Stuttgart
Swansea Sydney Taipei Tallinn Tampa Tampere Tehran Tokyo Toledo Toronto Toulouse Trento Trieste Tripoli Tunis Turin Ulm Uppsala Utrecht Valencia
Vancouver Venice Verona Vienna Vilnius Warsaw Wellington Winnipeg Wroclaw Wuhan Yerevan York Zagreb Zaragoza
""".split()

TWO_WORD_CITIES = [
    "New Delhi", "New Orleans", "San Francisco", "San Antonio", "Santa Monica", "Los Angeles", "Hong Kong", "Tel Aviv", "Cape Town", "Salt Lake",
    "Saint Louis", "Le Havre", "Den Haag", "Rio Grande", "Porto Alegre", "Buenos Aires", "La Rochelle", "El Paso", "Port Louis", "Novi Sad",
]

UNSEEN: dict[str, list[str]] = {
    "people": """
Abigail Alistair Amelie Astrid Beatrice Bartholomew Bogdan Brigitte Callum Cassandra Cedric Chiara Cordelia Dagmar Damian Delilah Dominik Eleanor
Elif Emre Esme Farah Fergus Florian Gareth Gemma Giulia Gordon Gwen Hamish Helga Imogen Ismail Ivy Jocelyn Juliet Kasper Keira Lakshmi Leopold Lorenzo
Lucinda Malik Marguerite Matteo Melissa Mirko Monika Nadine Niamh Odette Oleg Ophelia Orla Percival Radek Rafael Ramona Rosalind Saoirse Sebastian
Sigrid Siobhan Tabitha Tatiana Timothy Tristan Vanessa Vikram Wilma Yannick Yuki Zachary Zuzana
""".split(),
    "pets": """
Ziggy Whiskers Barkley Bramble Bilbo Cinders Clover Crumpet Dakota Doodle Domino Echo Ember Fergie Fifi Frodo Gizmo Hamlet Huxley Indie Jinx
Juno Kato Koda Loki Mango Marley Maple Merlin Mocha Mojo Nutmeg Olive Pancake Pickles Pippin Puzzle Quincy Rambo Ripley Sable Samson Schnitzel
Sparky Sprout Suki Tango Thor Tofu Truffle Waffles Wilbur Yoshi Zeus Zorro
""".split(),
    "cities": """
Oslo Aberdeen Albany Amman Asuncion Bamako Bratislava Bruges Canterbury Catania Chengdu Chennai Colombo Dayton Debrecen Durham Fresno
Gothenburg Hiroshima Honolulu Jerusalem Kinshasa Klagenfurt Kosice Lausanne Lusaka Maastricht Malmo Marbella Medellin Montevideo Murcia
Nashville Nicosia Nuremberg Ostrava Oviedo Padua Pamplona Pittsburgh Plovdiv Poznan Reykjavik Sacramento Sarajevo Skopje Tbilisi Tirana Trondheim
Tucson Turku Vaduz Vladivostok Windhoek Wolfsburg Yokohama Zurich
""".split(),
    "two_word_cities": ["New York", "San Diego", "Las Vegas", "Kansas City", "Abu Dhabi", "San Jose", "Mexico City", "Saint Malo", "Rio Branco", "Long Beach", "New Haven", "Santa Clara"],
}
