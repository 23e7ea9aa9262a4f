"""Every finding and refusal in words: code → (what is wrong, what would be right). Parameters by name."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

SENTENCES: dict[str, tuple[Text, Text]] = {
    # --- The whole file
    "empty_file": (_("The file is empty."), _("Choose the file that holds the rows.")),
    "too_large": (_("The file has %(found_mb)s MB; at most %(max_mb)s MB are taken."), _("Send it in parts.")),
    "unknown_extension": (
        _("Files ending in “%(extension)s” are not read."),
        _("Send CSV, XLSX, GeoJSON, GeoPackage, KML, DXF or a Shapefile in a .zip."),
    ),
    "loose_shp": (_("A Shapefile is several files."), _("Put .shp, .shx, .dbf and .prj together into one .zip.")),
    "old_xls": (_("The old .xls format is not read."), _("Open it in your spreadsheet program and save it as .xlsx.")),
    "no_dwg": (_("Drawings of the kind .dwg are not read."), _("Save the drawing as text DXF, or export the layer.")),
    "no_archive": (_("This kind of archive is not opened."), _("Pack the Shapefile as a plain .zip.")),
    "no_pdf": (_("Documents are not read: they hold no table."), _("Send the table itself as CSV or XLSX.")),
    "locked_or_old": (
        _("The file is protected by a password, or in the old .xls format."),
        _("Save it without a password, as .xlsx or .zip."),
    ),
    "content_differs": (
        _("The content is not what the ending “%(extension)s” says."),
        _("Export the file again in that format, or give it its right ending."),
    ),
    "xml_entities": (
        _("The file declares XML entities (DOCTYPE), which are not accepted."),
        _("Export it again from your program: no ordinary export needs them."),
    ),
    "bad_zip": (_("The archive is damaged or cannot be unpacked."), _("Pack it again as a plain .zip.")),
    "zip_members": (
        _("The archive holds %(found)s files; at most %(max)s are taken."),
        _("Pack only what belongs to it."),
    ),
    "zip_unpacked": (_("Unpacked, the archive is larger than %(max_mb)s MB."), _("Send it in parts.")),
    "zip_ratio": (
        _("A part of the archive unpacks to more than %(max)s times its size."),
        _("Real tables do not: export it again."),
    ),
    "zip_path": (
        _("The archive holds a path that leads outside of it."),
        _("Pack the files without folders above them."),
    ),
    "zip_link": (_("The archive holds a link instead of a file."), _("Pack the files themselves.")),
    "zip_nested": (_("The archive holds another archive."), _("Unpack the inner one and send its content.")),
    "no_shp_in_zip": (
        _("There is no .shp in the archive."),
        _("Put .shp, .shx, .dbf and .prj together into one .zip."),
    ),
    "no_kml_in_kmz": (_("There is no .kml in the archive."), _("Export the places again as KML.")),
    "shp_parts": (_("The Shapefile “%(name)s” lacks %(parts)s."), _("Put all its parts into the .zip.")),
    "no_sandbox": (
        _("Files of this kind are only opened in a sandbox, which this server does not have (%(reason)s)."),
        _("Ask its administrator to install bubblewrap and allow user namespaces; CSV and XLSX work meanwhile."),
    ),
    "driver_guard": (_("The reader for this format is not ready (%(drivers)s)."), _("Tell the administrator.")),
    "spatial_unreadable": (
        _("The file cannot be read as what its ending says (%(detail)s)."),
        _("Open it in your GIS program and export it again."),
    ),
    "xlsx_unreadable": (
        _("The workbook cannot be read."),
        _("Open it in your spreadsheet program and save it again as .xlsx."),
    ),
    "too_heavy": (
        _("The file took too much time or memory to read."),
        _("Send it in parts, or export it again without formatting."),
    ),
    "no_features": (
        _("There are no objects in the file."),
        _("Check the export: links to other files are not followed."),
    ),
    "no_rows": (_("There are no rows in the file."), _("Choose the file that holds the rows.")),
    "no_header": (_("No row names the columns."), _("Put the names of the columns into the first row.")),
    "too_many_rows": (_("The file has %(found)s rows; at most %(max)s are taken at once."), _("Send it in parts.")),
    "too_many_columns": (
        _("The file has %(found)s columns; at most %(max)s are taken."),
        _("A long cell has probably spilled over its neighbours: export it again, as GeoJSON or with quotes."),
    ),
    "cell_too_long": (_("A cell has more than %(max)s characters."), _("Shorten it.")),
    "csv_broken": (
        _("The text file breaks off inside a quoted cell or has a cell too long (%(detail)s)."),
        _("Export it again."),
    ),
    "not_text": (_("This is not a text file."), _("Export the table as CSV.")),
    "encoding_unknown": (_("The text is neither UTF-8 nor GB18030 (GBK)."), _("Save it as CSV UTF-8.")),
    "crs_unknown": (_("%(code)s is no coordinate system we know."), _("Give an EPSG number such as 4490 or 4547.")),
    "crs_not_flat": (_("%(name)s is not a system of two coordinates."), _("Choose a geographic or projected one.")),
    "old_datum": (
        _("%(name)s cannot be converted: the parameters to CGCS2000 are not public."),
        _("Have the coordinates converted to CGCS2000 by your surveyors and send that file."),
    ),
    "gone": (_("The file is no longer here."), _("Upload it again.")),
    "broke_off": (_("Reading broke off several times."), _("Export the file again, or send it in parts.")),
    # --- A row
    "required_missing": (
        _("%(label_word)s is missing."),
        _("Fill it in, or give one value for all rows at the columns."),
    ),
    "number_unreadable": (_("“%(value)s” is not a number."), _("Write digits, with the unit or without.")),
    "unit_unknown": (_("The unit in “%(value)s” does not fit here."), _("Give the value in %(unit)s.")),
    "price_per_period": (
        _("“%(value)s” is a price per %(period_word)s: %(times)s times that is taken, %(result)s %(unit)s."),
        _("Nothing to do if that is right."),
    ),
    "price_negotiable": (_("“%(value)s”: the price is to be negotiated, so none is taken."), ""),
    "price_basis_unknown": (
        _("“%(value)s”: “%(word)s” is not a measure this price can be taken by."),
        _("Give the price in %(unit)s; per month, quarter, half-year or day is converted."),
    ),
    "not_whole": (_("“%(value)s” is not a whole number."), _("Give a whole number.")),
    "date_unreadable": (_("“%(value)s” is not a date."), _("Write it like 2026-03-31.")),
    "date_ambiguous": (_("“%(value)s” can be read as two different days."), _("Write it like 2026-03-31.")),
    "choice_unknown": (_("“%(value)s” is not one of the words for this."), _("Use one of: %(known)s.")),
    "choice_unknown_near": (
        _("“%(value)s” is not one of the words for this."),
        _("Did you mean “%(near)s”? Known are: %(known)s."),
    ),
    "choice_guessed": (_("“%(value)s” was taken as “%(meant)s”."), _("Say otherwise at the columns.")),
    "text_too_long": (_("The text has %(found)s characters; at most %(max)s are taken."), _("Shorten it.")),
    "row_overflow": (
        _("The row has %(count)s cells more than the header."),
        _("A cell has spilled over its neighbours, probably for a separator without quotes: mend the row."),
    ),
    "example_row": (_("This is the example row of the template."), _("Delete it.")),
    "total_row": (_("This is a total, not an entry of its own."), _("Nothing to do: it is left out.")),
    "same_row_again": (_("This row is the same as row %(number)s."), _("Delete it.")),
    "code_twice_in_file": (
        _("The code “%(code)s” stands in row %(number)s already, with other values."),
        _("Give each a code of its own, or delete one of the two."),
    ),
    "part_holder_missing": (
        _("The row does not say which duct or cable it belongs to."),
        _("Give your own code of it."),
    ),
    "part_duct_unknown": (
        _("You have no duct with the code “%(code)s”."),
        _("Import the duct first, or correct the code."),
    ),
    "part_cable_unknown": (
        _("You have no cable with the code “%(code)s”."),
        _("Import the cable first, or correct the code."),
    ),
    "part_holder_retired": (_("“%(code)s” is retired: it is not changed any more."), _("Delete the row.")),
    "part_name_missing": (_("The row does not name the part."), _("Give the bore, the chamber or the carrier.")),
    "part_end_missing": (
        _("The row does not say where on the duct the chamber stands."),
        _("Write A端, B端 or 中间 (end A, end B or between)."),
    ),
    "part_carrier_unknown": (
        _("“%(code)s” is no duct or pole of yours, or one you have space in."),
        _("Give its code, or line:NAME for every pole of a line."),
    ),
    "part_bore_unknown": (
        _("“%(code)s” has no bore called “%(bore)s”."),
        _("Import its bores first, or leave the bore empty."),
    ),
    "coordinate_missing": (_("The %(axis_word)s is missing."), _("Fill in both coordinates.")),
    "coordinate_unreadable": (
        _("“%(value)s” is no %(axis_word)s."),
        _("Write it like 113.3301 or 113°19′48″."),
    ),
    "pair_unreadable": (_("“%(value)s” does not hold two coordinates."), _("Write them like 113.3301, 23.1302.")),
    "wkt_unreadable": (_("“%(value)s” is not a geometry."), _("Write it as WKT, such as POINT (113.33 23.13).")),
    "geometry_cut": (
        _("The geometry is cut off: the cell holds only its beginning."),
        _("Spreadsheets cut long cells; send the data as GeoJSON or Shapefile."),
    ),
    "geometry_missing": (_("The row has no geometry."), _("Draw it, or delete the row.")),
    "geometry_broken": (_("The geometry is not valid (%(detail)s)."), _("Mend it in your GIS program.")),
    "several_points": (_("The row holds several points."), _("Make a row of each.")),
    "swapped": (
        _("Longitude and latitude look swapped: %(lon)s / %(lat)s."),
        _("Exchange the two, or have it done here for all rows named so."),
    ),
    "swapped_back": (_("Longitude and latitude were exchanged, as you asked."), ""),
    "decimal_lost": (
        _("The decimal point is missing in the %(axis_word)s %(value)s."),
        _("Perhaps %(near)s is meant: correct it in the file."),
    ),
    "half_zero": (_("One of the two coordinates is 0: %(lon)s / %(lat)s."), _("Give the real longitude and latitude.")),
    "not_in_system": (
        _("%(x)s / %(y)s cannot be a place in %(system)s."),
        _("Correct the coordinates, or choose another system at the place check."),
    ),
    "far_from_rest": (
        _("This place lies %(km)s km from the middle of the others."),
        _("Check the coordinates; far more than all others is often a slip of a digit."),
    ),
    "same_place_twice": (
        _("Row %(number)s has the same place with another code."),
        _("Check that they are two things."),
    ),
    "stands_already": (
        _("Your resource %(code)s stands %(metres)s m from here, under another code."),
        _("If it is the same, give it that code: it is then changed instead of made a second time."),
    ),
    "anothers_already": (
        _("“%(name)s” of %(owner)s stands %(metres)s m from here."),
        _("Check whose it is: the same thing must not be offered twice."),
    ),
    "rounded": (
        _("Both coordinates have at most %(digits)s decimals: that is a kilometre, not a place."),
        _("Give at least five decimals."),
    ),
    "line_crosses_itself": (
        _("The line crosses itself."),
        _("Check the order of its points."),
    ),
    "line_too_long": (
        _("The line is %(km)s km long; more than %(max)s km is unusual for one section."),
        _("Check the coordinates, or send it in sections."),
    ),
    "code_mangled": (
        _("The code “%(value)s” was turned into a rounded number by a spreadsheet: its last digits are lost."),
        _("Format the column as text in the source and export it again."),
    ),
    "type_assumed": (
        _("Nothing says of which type it is: taken as “%(taken_word)s”."),
        _("Name the column, or give one value for all rows at the columns."),
    ),
    "name_from_other": (_("No %(label_word)s given: “%(value)s” stands in for it."), ""),
    "planned_past": (
        _("Planned, but ready on %(day)s, which has passed."),
        _("Set the lifecycle to in service, or give a new date."),
    ),
    "available_past": (
        _("Available only until %(day)s, which has passed."),
        _("Give a later date, or leave it empty."),
    ),
    "facts_in_future": (_("The facts are dated %(day)s, which lies ahead."), _("Correct the date.")),
    "facts_old": (_("The facts are from %(day)s."), _("Check them before publishing: they will show as stale.")),
    "height_implausible": (
        _("%(value)s m is unusual for the height of this (%(low)s–%(high)s m is usual)."),
        _("Check the unit."),
    ),
    "value_implausible": (
        _("%(value)s %(unit)s is unusual here (%(low)s–%(high)s is usual)."),
        _("Check the unit."),
    ),
    "all_in_use": (_("Nothing is free."), _("It can be published, but nobody can ask for it.")),
    "line_refused": (_("%(message)s"), ""),
    "list_full": (_("A list holds at most %(max)s lines."), _("Make a second list.")),
}
REASONS: dict[str, Text] = {
    "words": _("named in the header, the title or the file name"),
    "words_conflict": _("the file names more than one system"),
    "file_crs": _("the file carries it (.prj or its own statement)"),
    "file_crs_may_err": _("the file says so, but shifted places are often saved under that name: it does not decide"),
    "old_look_alike": _(
        "the metres of Xian 1980 and Beijing 1954 look the same: choose it only if CGCS2000 is certain"
    ),
    "declared_regions": _("puts the rows into the divisions they name"),
    "remembered": _("as your organisation confirmed for this table last time"),
    "by_format": _("the format defines it, but many programs write shifted coordinates all the same"),
    "nothing_said": _("nothing in the file says which: ask who made it"),
    "abroad": _("the places lie outside China, where nothing is shifted"),
    "fewer_inside": _("puts fewer places into your region"),
    "axes_swapped": _("the two columns stand exchanged"),
    "zone_prefix": _("the first two digits are the zone"),
    "zone_by_region": _("the zone that puts most places into your region"),
    "web_mercator": _("metres of web maps"),
    "known_places": _("puts the resources you have here already where they stand"),
    "nothing_readable": _("no coordinates could be read"),
    "chosen": _("as you chose"),
}
# Words used as parameters named …_word; listed so that they are translated.
PARAMETER_WORDS = (
    _("longitude"),
    _("latitude"),
    _("own code"),
    _("name"),
    _("Applicant's code"),
    _("Title"),
    _("Kind"),
    _("Quantity"),
    _("Telecom tower"),
    _("Telecom"),
    _("Metropolitan"),
)
